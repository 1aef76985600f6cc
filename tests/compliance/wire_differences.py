"""Where Andon differs from what gunicorn's wire files expect, and what leaves the choice.

Each entry is checked as strictly as the other files are: an entry which is no longer true fails.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Accepts:
    """An invalid file which Andon answers with 2xx, so many times."""

    reason: str
    answers: int = 1


@dataclass(frozen=True)
class Refuses:
    """A valid file which Andon answers with one of these statuses, and closes."""

    reason: str
    statuses: tuple[int, ...] = (400,)


@dataclass(frozen=True)
class Reads:
    """A valid file of which Andon makes something else in one respect."""

    reason: str
    headers: list[tuple[str, str]] | None = None
    fields: dict[str, str] = field(default_factory=dict)


PROXY_PROTOCOL = "needs gunicorn's proxy_protocol setting, which Andon does not have"
OBSOLETE_FOLDING = (
    "needs gunicorn's permit_obsolete_folding; a server must reject a folded line or replace it "
    "(RFC 9112, section 5.2)"
)
ONE_HEAD_LIMIT = (
    "gunicorn limits the size of one header, Andon that of the whole head, which this one keeps; "
    "RFC 9110, section 5.4 sets no limit"
)
UNDERSCORES = (
    "gunicorn's header_map keeps CGI variables unambiguous; ASGI passes names as bytes, and `_` is "
    "a token character (RFC 9110, section 5.6.2)"
)
TOKEN_METHOD = "a method is any token, case-sensitive (RFC 9110, section 9.1)"
EMPTY_LINES = (
    "a server should ignore at least one empty line before the request line (RFC 9112, section 2.2)"
)
CODINGS = (
    "a coding which a server does not implement should be answered with 501 (RFC 9112, section 6.1)"
)
SEVERAL_CODINGS = (
    "the framing of several Transfer-Encoding lines is read differently along the way, so that a "
    "server may refuse it (RFC 9112, sections 6.3 and 11.2)"
)
NO_MERGE = "several lines of a header are the application's affair (RFC 9110, section 5.3)"

VALID: dict[str, Refuses | Reads] = {
    "014": Refuses(
        "a quotation mark in a query must be percent-encoded (RFC 3986, section 3.4), and an "
        "invalid request line should be answered with 400 (RFC 9112, section 3)"
    ),
    "025": Refuses(SEVERAL_CODINGS),
    "025_line": Refuses(CODINGS, (501,)),
    "028": Refuses(
        "needs gunicorn's strip_header_spaces; a server must reject space before the colon "
        "(RFC 9112, section 5.1)"
    ),
    "029": Refuses(SEVERAL_CODINGS),
    "030": Refuses(SEVERAL_CODINGS),
    "031compat": Reads(
        f"needs gunicorn's casefold_http_method; {TOKEN_METHOD}", fields={"method": "-blargh"}
    ),
    "040": Reads(
        UNDERSCORES,
        headers=[
            ("transfer_encoding", "tricked"),
            ("content-length", "7"),
            ("content_length", "-1E23"),
        ],
    ),
    "compat_obs_fold": Refuses(OBSOLETE_FOLDING),
    "compat_obs_fold_huge": Refuses(OBSOLETE_FOLDING),
    "pp_01": Refuses(PROXY_PROTOCOL),
    "pp_02": Refuses(PROXY_PROTOCOL),
    "pp_04": Refuses(PROXY_PROTOCOL),
    "pp_05": Refuses(PROXY_PROTOCOL),
    "rfc9112_smuggle_gzip_chunked_01": Refuses(CODINGS, (501,)),
    "rfc9112_smuggle_te_identity_chunked_01": Refuses(CODINGS, (501,)),
    "rfc9112_target_absolute_userinfo_01": Refuses(
        "a recipient should treat userinfo in a URI as an error (RFC 9110, section 4.2.4)"
    ),
    "rfc9112_target_authority_connect_01": Refuses(
        "an origin server need not offer CONNECT (RFC 9110, section 9.3.6)", (400, 405, 501)
    ),
    "rfc9112_target_authority_ipv6_01": Refuses(
        "an origin server need not offer CONNECT (RFC 9110, section 9.3.6)", (400, 405, 501)
    ),
}

INVALID: dict[str, Accepts] = {
    "003c": Accepts(TOKEN_METHOD),
    "010": Accepts(ONE_HEAD_LIMIT),
    "012": Accepts(ONE_HEAD_LIMIT),
    "019": Accepts("Andon does not take the scheme from X-Forwarded headers of any peer"),
    "040": Accepts(UNDERSCORES),
    "041": Accepts(NO_MERGE),
    "chunked_07": Accepts(UNDERSCORES),
    "chunked_09": Accepts(
        "white space between the size of a chunk and its line's end is skipped, as it is before "
        "an extension (RFC 9112, section 7.1.1)"
    ),
    "rfc9110_trailer_forbidden_cl_01": Accepts(
        "trailers are dropped, as a recipient may (RFC 9110, section 6.5.1)"
    ),
    "rfc9110_trailer_forbidden_host_01": Accepts(
        "trailers are dropped, as a recipient may (RFC 9110, section 6.5.1)"
    ),
    "rfc9110_trailer_forbidden_te_01": Accepts(
        "trailers are dropped, as a recipient may (RFC 9110, section 6.5.1)"
    ),
    "rfc9112_bare_lf_01": Accepts(
        "a recipient may take a single LF for the end of a line (RFC 9112, section 2.2)"
    ),
    "rfc9112_leading_crlf_02": Accepts(EMPTY_LINES),
}

# Files which end before the request does: the connection ends with them, and an answer is not due.
# A parser alone can hand on what there is, but a server must not take it for the whole message
# (RFC 9112, section 8).
TRUNCATED_VALID = {
    "099": "the body is shorter than its Content-Length",
}
TRUNCATED_INVALID = {
    "pp_01": f"{PROXY_PROTOCOL}; without it, this is the beginning of a head",
    "pp_02": f"{PROXY_PROTOCOL}; without it, this is the beginning of a head",
    "pp_03": f"{PROXY_PROTOCOL}; without it, this is the beginning of a head",
    "001": "the head ends in the middle of a header",
    "rfc9112_chunked_missing_final_crlf_01": "the body ends before the line which closes it",
}
