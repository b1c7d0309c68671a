"""The server of the page: listens before a browser is sent to it, and lets the pages go before it ends."""

import socket
from types import FrameType

import uvicorn

from moksori.errors import ConfigError, reason_of
from moksori.studio.app import create_app
from moksori.studio.guard import Access
from moksori.studio.session import Session


class Server(uvicorn.Server):
    """Answers for a session whoever `access` lets in, until it is interrupted."""

    def __init__(self, session: Session, access: Access) -> None:
        self.session = session
        config = uvicorn.Config(
            create_app(session, access), host=access.host, port=access.port, log_level="warning",
            timeout_graceful_shutdown=1, server_header=False,
        )  # fmt: skip
        super().__init__(config)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """As uvicorn's, once the pages that wait for news are let go; each would be an error else."""
        self.session.leave()
        super().handle_exit(sig, frame)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens: a browser that comes before the server answers waits.

    Raises:
        ConfigError: the address cannot be had, as while another Studio has the port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigError.of("studio.port", host=host, port=port, why=reason_of(error)) from None
