"""What the launcher is doing: starting, up, or going down."""

import enum


class Status(enum.Enum):
    """Phase of the launcher's life."""

    STARTING = "starting"
    UP = "up"
    STOPPING = "stopping"


class ServerStatus:
    """The present phase."""

    def __init__(self):
        self.now = Status.STARTING
        self.generating = False
