"""A mail server that says in JSON, line by line, on which port it listens and what it takes.

Takes mail only under STARTTLS and after a login. Arguments: certificate, key, and the password of `treasury`.
"""

import email
import email.policy
import json
import ssl
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


def say(what):
    print(json.dumps(what), flush=True)


class Taker:
    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        say({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl is not None,
            "login": session.auth_data.decode(),
            "headers": dict(message.items()),
            "text": message.get_body(("plain",)).get_content(),
            "html": message.get_body(("html",)).get_content(),
        })
        return "250 taken"


class Listening(Controller):
    """As it is, but on the port that the system chooses."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def main():
    certificate, key, password = sys.argv[1:]

    def authenticate(server, session, envelope, mechanism, data):
        is_right = (
            mechanism in ("PLAIN", "LOGIN")
            and isinstance(data, LoginPassword)
            and (data.login, data.password) == (b"treasury", password.encode())
        )
        return AuthResult(success=is_right, auth_data=data.login if is_right else None)

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    controller = Listening(
        Taker(),
        hostname="127.0.0.1",
        port=0,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=authenticate,
    )
    controller.start()
    say({"port": controller.port})
    threading.Event().wait()


main()
