"""The processes behind the HTTP server: ranks and the detokenizer."""
