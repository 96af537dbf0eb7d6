"""The web child of `imsys serve`: uvicorn on a listening socket that it inherits. Not a command for people."""

import argparse
import socket
import threading

from imsys.cli.child import die_with


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    arguments = parser.parse_args()
    die_with(arguments.parent)

    import uvicorn

    config = uvicorn.Config(
        "imsys.conf.asgi:application",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
        timeout_keep_alive=15,
    )
    _watch()
    with socket.socket(fileno=arguments.fd) as listener:
        uvicorn.Server(config).run(sockets=[listener])


def _watch() -> None:
    from imsys.cli.database import set_up_django

    set_up_django()
    from imsys.fleet.watchman import watch

    threading.Thread(target=watch, args=(threading.Event(),), name="watchman", daemon=True).start()


if __name__ == "__main__":
    main()
