"""A real broker with every way in, and an authorizer that lets nobody do what is not granted.

The PLAINTEXT listener is the super user's: it is how a test sets the grants.
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import DeleteAclsRequest

from runtime.embedded.process import free_port
from runtime.embedded.services import Broker
from runtime.kafka import started
from schemas.access import principals
from streams.acls import Allowed
from tests.security.certificates import Authority

MODULE = "org.apache.kafka.common.security"


class SecuredBroker:
    """The broker, its certificates, and its ports by listener.

    Every principal of the grants is a SCRAM user with the password NAME-sesame; `plain` is a PLAIN user. The
    listeners STALE, EARLY and ELSEWHERE have a certificate that expired an hour ago, one that is valid in an
    hour, and one for another address.
    """

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder / "certificates")
        names = ("SASL_SSL", "SSL", "SASL_PLAINTEXT", "STALE", "EARLY", "ELSEWHERE")
        self.ports = {name: free_port() for name in names}
        self._controller_port = free_port()
        scram = (
            f"{mechanism}=[name={name},password={name}-sesame]"
            for name in principals()
            for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
        )
        (folder / "scram").write_text("\n".join(scram))
        more = ["--properties", str(folder / "more.properties"), "--scram", str(folder / "scram")]
        self.broker = Broker(folder / "kafka", controller_port=self._controller_port, heap_mb=384, more=more)
        self.bootstrap = self.broker.bootstrap
        (folder / "more.properties").write_text("\n".join(self._properties()) + "\n")

    def _properties(self) -> list[str]:
        listeners = {"PLAINTEXT": self.broker.port, **self.ports}
        listed = ",".join(f"{name}://127.0.0.1:{port}" for name, port in listeners.items())
        return [
            f"listeners={listed},CONTROLLER://127.0.0.1:{self._controller_port}",
            f"advertised.listeners={listed}",
            "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,"
            "SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,STALE:SSL,EARLY:SSL,ELSEWHERE:SSL",
            "inter.broker.listener.name=PLAINTEXT",
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users=User:ANONYMOUS",
            "sasl.enabled.mechanisms=SCRAM-SHA-512,SCRAM-SHA-256,PLAIN,OAUTHBEARER",
            "ssl.truststore.type=PEM",
            f"ssl.truststore.location={self.authority.cafile}",
            "ssl.principal.mapping.rules=RULE:^CN=(.*?)(,.*)?$/$1/",
            "listener.name.ssl.ssl.client.auth=required",
            *self._certificates(),
            *_logins("sasl_ssl"),
            *_logins("sasl_plaintext"),
        ]

    def _certificates(self) -> list[str]:
        hour, issue = timedelta(hours=1), self.authority.issue
        held = {
            "": issue("server"),
            "listener.name.stale.": issue("stale", ends=-hour),
            "listener.name.early.": issue("early", begins=hour),
            "listener.name.elsewhere.": issue("elsewhere", address="127.0.0.9"),
        }
        return [
            line
            for name, path in held.items()
            for line in (f"{name}ssl.keystore.type=PEM", f"{name}ssl.keystore.location={path}")
        ]

    def variables(self, user: str = "", listener: str = "SASL_SSL") -> dict[str, str]:
        """The settings of a user who logs in by SCRAM; without one, of the super user."""
        if not user:
            return {"PRAETOR_BOOTSTRAP": self.bootstrap}
        return {
            "PRAETOR_BOOTSTRAP": f"127.0.0.1:{self.ports[listener]}",
            "PRAETOR_KAFKA_SECURITY_PROTOCOL": listener,
            "PRAETOR_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "PRAETOR_KAFKA_SASL_USERNAME": user,
            "PRAETOR_KAFKA_SASL_PASSWORD": f"{user}-sesame",
            **({"PRAETOR_KAFKA_SSL_CAFILE": str(self.authority.cafile)} if "SSL" in listener else {}),
        }

    async def revoke(self, allowed: Sequence[Allowed]) -> None:
        """Take grants away."""
        options: dict[str, Any] = {"bootstrap_servers": self.bootstrap}
        admin = await started(AIOKafkaAdminClient(**options), options)
        try:
            for one in allowed:
                answer = await admin._send_request(DeleteAclsRequest(*one.codes()))
                assert [len(found[2]) for found in answer.filter_responses] == [1]
        finally:
            await admin.close()


def _logins(listener: str) -> list[str]:
    scram = f"{MODULE}.scram.ScramLoginModule required;"
    modules = {
        "scram-sha-256": scram,
        "scram-sha-512": scram,
        "plain": f'{MODULE}.plain.PlainLoginModule required user_plain="plain-sesame";',
        # it believes tokens that nobody signed
        "oauthbearer": f"{MODULE}.oauthbearer.OAuthBearerLoginModule required "
        'unsecuredLoginStringClaim_sub="broker";',
    }
    return [
        f"listener.name.{listener}.{mechanism}.sasl.jaas.config={module}"
        for mechanism, module in modules.items()
    ]
