"""`python -m peer --port 5555 --front 5556 --data DIR`: runs the offline AWS peer until it is stopped."""

import argparse
import os
import pathlib
import signal
import sys
import threading


def main() -> None:
    """Applies the patches in this order, and starts both servers."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--port", type=int, required=True, help="where the AWS API listens")
    arguments.add_argument("--front", type=int, required=True, help="where HTTP APIs and the peer's own calls listen")
    arguments.add_argument("--data", type=pathlib.Path, required=True, help="where logs are kept")
    given = arguments.parse_args()
    # moto reads this when it is imported.
    os.environ.update(MOTO_PORT=str(given.port), NO_PROXY="127.0.0.1,localhost")
    os.environ.update(AWS_ENDPOINT_URL=f"http://127.0.0.1:{given.port}")

    from moto.core.config import default_user_config

    default_user_config["stepfunctions"]["execute_state_machine"] = True

    from moto.server import main as serve

    from . import (
        clock,
        executions,
        front,
        functions,
        http_api,
        iam,
        nested,
        provider,
        rules,
        subscribers,
        table,
        tokens,
        waits,
    )

    given.data.mkdir(parents=True, exist_ok=True)
    clock.install(given.data.resolve())
    waits.install()
    tokens.install()
    nested.install()
    rules.install(given.data)
    http_api.install(given.data)
    executions.install(rules.execution_changed)
    table.install()
    provider.install()
    iam.install(given.data, given.port)
    functions.install(given.data.resolve(), given.port)
    subscribers.install(given.data, f"http://127.0.0.1:{given.front}")
    door = front.server(given.front)
    threading.Thread(target=door.serve_forever, daemon=True).start()

    def stop(*_) -> None:
        functions.stop()
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    serve(["-H", "127.0.0.1", "-p", str(given.port)])


if __name__ == "__main__":
    main()
