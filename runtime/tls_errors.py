"""What TLS's errors mean to a person.

Source of the codes: OpenSSL's x509_vfy.h; of the alerts: RFC 8446, section 6.2, in OpenSSL's names.
"""

import ssl

EXPIRED = 10
NOT_YET_VALID = 9
OTHER_NAME = (62, 64)


def distrust(error: ssl.SSLCertVerificationError, host: str, variable: str) -> str:
    """Why we do not trust a server's certificate, and what to do. `variable` names the CA file."""
    if error.verify_code == EXPIRED:
        return "its certificate has expired: renew it there. If it has not, this machine's clock is wrong"
    if error.verify_code == NOT_YET_VALID:
        return "its certificate is not valid yet: this machine's clock is behind, or the server's was ahead"
    if error.verify_code in OTHER_NAME:
        return (
            f"its certificate is not for {host}: use a name that it is made for, or have it made for {host}"
        )
    return (
        f"its certificate is not signed by anyone we trust ({error.verify_message}): set {variable} to the"
        " PEM file of the authority that signed it"
    )


def alert(error: ssl.SSLError, prefix: str) -> str:
    """What the server says against our certificate, and what to do; "" where it says no such thing.

    `prefix` is what the variables of the certificate's files begin with.
    """
    reason = (error.reason or "").upper()
    mine = f"our client certificate ({prefix}CERTFILE)"
    if "ALERT" not in reason:
        return ""
    if "CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason or "BAD_CERTIFICATE" in reason:
        return f"it wants a client certificate that it trusts: set {prefix}CERTFILE and {prefix}KEYFILE"
    if "CERTIFICATE_EXPIRED" in reason:
        return f"{mine} has expired: renew it. If it has not, the server's clock is wrong"
    if "UNKNOWN_CA" in reason or "CERTIFICATE_UNKNOWN" in reason:
        return (
            f"it does not trust {mine}: have it signed by the authority that the server trusts; if it is, see"
            " that it is not expired by the server's clock"
        )
    if "PROTOCOL_VERSION" in reason:
        return "it speaks no TLS of version 1.2 or newer: have it updated"
    return f"it ended the TLS handshake: {reason.replace('_', ' ').lower()}"
