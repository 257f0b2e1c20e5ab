"""Image files that say something of their rights, written by Pillow and signed by the C2PA library."""

import datetime
import functools
import io
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image, PngImagePlugin

from tests.encoders.pictures import picture

VOCABULARY = "http://ns.useplus.org/ldf/vocab/"
_NAMESPACES = (
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" '
    'xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" xmlns:cc="http://creativecommons.org/ns#" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"'
)
_ACTIONS = {
    "label": "c2pa.actions",
    "data": {
        "actions": [
            {
                "action": "c2pa.created",
                "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
            }
        ]
    },
}


def packet(inside: str = "", attributes: str = "") -> bytes:
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        f'{_NAMESPACES}><rdf:Description rdf:about="" {attributes}>{inside}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()


def mining(code: str) -> bytes:
    return packet(attributes=f'plus:DataMining="{VOCABULARY}{code}"')


def image_file(kind: str, xmp: bytes = b"", seed: int = 0, copyright_notice: str = "", zipped: bool = False) -> bytes:
    file, how = io.BytesIO(), dict[str, Any]()
    if copyright_notice:
        how["exif"] = Image.Exif()
        how["exif"][0x8298] = copyright_notice
    if xmp and kind == "PNG":
        how["pnginfo"] = PngImagePlugin.PngInfo()
        how["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode(), zip=zipped)
    elif xmp:
        how["xmp"] = xmp
    Image.fromarray(picture(seed)).save(file, kind, **how)
    return file.getvalue()


def signed(kind: str, label: str, entries: dict[str, Any], content: bytes | None = None) -> bytes:
    """Put a manifest with such an assertion into an image file."""
    from c2pa import Builder

    media_type, made = f"image/{kind.lower()}", io.BytesIO()
    manifest = {
        "claim_generator_info": [{"name": "tests", "version": "1"}],
        "format": media_type,
        "title": "a test's",
        "assertions": [_ACTIONS, {"label": label, "data": {"entries": entries}}],
    }
    Builder(manifest).sign(_signer(), media_type, io.BytesIO(content or image_file(kind)), made)
    return made.getvalue()


@functools.cache
def _signer() -> Any:
    from c2pa import C2paSignerInfo, Signer

    root, root_key = _certificate("root", None, None)
    leaf, leaf_key = _certificate("leaf", root, root_key)
    chain = b"".join(each.public_bytes(serialization.Encoding.PEM) for each in (leaf, root))
    key = leaf_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Signer.from_info(C2paSignerInfo(alg=b"es256", sign_cert=chain, private_key=key, ta_url=None))


def _certificate(
    name: str, issuer: x509.Certificate | None, issuer_key: ec.EllipticCurvePrivateKey | None
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """C2PA takes no certificate that signed itself: so there are two, the first of which signs the second."""
    key, is_root = ec.generate_private_key(ec.SECP256R1()), issuer is None
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "t")])
    signing, begin = issuer_key or key, datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    usage = x509.KeyUsage(not is_root, False, False, False, False, is_root, is_root, False, False)
    made = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(issuer.subject if issuer else own)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=36_500))
        .add_extension(x509.BasicConstraints(is_root, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
        .add_extension(usage, critical=True)
    )
    if not is_root:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return made.sign(signing, hashes.SHA256()), key
