"""Text to tokens and back, by the vocabulary of tokenizer.json: longest match first, single bytes for the rest."""

import json
import os
import re

_BYTE = re.compile(r"^<0x([0-9A-F]{2})>$")
_SPACE = "\u0120"  # how byte-level vocabularies write a leading space


class Tokenizer:
    """The vocabulary of one model."""

    def __init__(self, folder):
        with open(os.path.join(folder, "tokenizer.json"), encoding="utf-8") as file:
            described = json.load(file)
        special = {entry["content"]: entry["id"] for entry in described.get("added_tokens", [])}
        self.ids = {**described["model"]["vocab"], **special}
        self.texts = {number: text for text, number in self.ids.items()}
        self.special = set(special.values())
        self.end = special.get("</s>")
        self.longest = max(map(len, self.ids))

    def encode(self, text):
        """Tokens of a text."""
        text = text.replace(" ", _SPACE)
        tokens, at = [], 0
        while at < len(text):
            length = next((n for n in range(self.longest, 0, -1) if text[at : at + n] in self.ids), 0)
            if length:
                tokens.append(self.ids[text[at : at + length]])
            else:
                length = 1
                tokens += [self.ids[f"<0x{byte:02X}>"] for byte in text[at].replace(_SPACE, " ").encode()]
            at += length
        return tokens

    def decode(self, tokens):
        """Text of tokens; special ones are silent."""
        out = bytearray()
        for token in tokens:
            text = "" if token in self.special else self.texts.get(token, "")
            byte = _BYTE.match(text)
            out += bytes([int(byte.group(1), 16)]) if byte else text.replace(_SPACE, " ").encode()
        return out.decode(errors="replace")


def chat_prompt(messages):
    """A conversation as one text."""
    turns = []
    for message in messages:
        content = message.get("content") or ""
        if isinstance(content, list):
            content = "".join(part.get("text", "") for part in content if part.get("type") == "text")
        turns.append(f"<|{message['role']}|>{content}")
    return "".join(turns) + "<|assistant|>"
