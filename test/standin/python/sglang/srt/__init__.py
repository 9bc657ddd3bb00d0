"""The run time of the stand-in, laid out as the real one."""
