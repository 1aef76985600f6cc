"""Texts that are wrong, or right in an unusual way, by the place where they stand.

`str` is still to be encoded; `bytes` stand in the request as they are.
"""

NUMBER_TEXTS: tuple[str, ...] = (
    *("-0", "+1", " 1", "1 ", "1_000", "0x10", "1e3", "1.0", "1.5", "00", "007", "0b1", "NaN"),
    *("inf", "9" * 20, "-" + "9" * 25, "9" * 400, "9" * 4301, "1" + "0" * 4300, "0." + "1" * 60),
    *("\u0661", "\uff11", "1\u00a0", "\u20091", "1e400", "-1e400", "1e-400", ".5", "5.", "1,5"),
)
WORD_TEXTS: tuple[str, ...] = (
    *("", " ", "null", "None", "True", "TRUE", "yes", "t", "on", "undefined", "[]", "{}", '"a"'),
    *("a" * 300, "\u00e9", "\u4e2d", "\U0001f600", "e\u0301", "\u200b", "\ufeffa", "a\u2028b"),
    *("red ", "RED", "abcdef", "A", "11", "3", "2024-02-30", "2024-02-29T25:00:00Z", "P", "[1,"),
    *("0a0b0c0d", "127.0.0.256", "../..", "a/b", "a//b", ".", "..", "%", "%41", "a;b", "a=b"),
    *("a&b", "a+b", "a,b", "<script>"),
)
QUERY_TEXTS: tuple[str | bytes, ...] = (
    *NUMBER_TEXTS,
    *WORD_TEXTS,
    *("\n", "1\n", "\x00", "a\x00b", "\t", "\r\n", b"%", b"%4", b"%zz", b"%ff", b"%C3%28"),
    *(b"%ED%A0%80", b"%F0%9F%98", b"%00", b"a%0a", b"+", b"%2B", b"1;q=2", b"=", b"==", b"a=b=c"),
    *(b"1%261", b"%u0041"),
)
WHOLE_QUERIES = (
    *(b"", b"&", b"&&&", b"=", b"=&=", b"a", b"a=&a", b"q=1&q=2&q=", b";", b"q=1;limit=2", b"?"),
    *(b"%", b"q=%E9", b"\xe9=\xff", b"q=\xc3\xa9", b"q=\xff\xfe", b"q=a b", b"q[]=1", b"q.a=1"),
    *(b"#", b"q=#"),
    b"&".join([b"q=1"] * 1200),
    b"q=" + b"a" * 70000,
)
PATH_TEXTS: tuple[str | bytes, ...] = (
    *(text for text in NUMBER_TEXTS if len(text) < 500),
    *WORD_TEXTS[1:],
    *(b"%2F", b"a%2Fb", b"%0A", b"1%0A", b"%00", b"%ff", b"%C3%A9", b"%C3", b"%ED%A0%80", b"%25"),
    *(b"%zz", b"%", b"%4", b"..%2f", b"%2e%2e", b"a%20b", b"%3F", b"%23", b"+", b"a:b"),
    *(b"1.json",),
)
HEADER_TEXTS: tuple[str | bytes, ...] = (
    *(text for text in NUMBER_TEXTS if len(text) < 500),
    *WORD_TEXTS,
    *(b"\xff", b"\xe9", b"\x80", b"a\tb", b"1, 2", b"a,b", b'"1"', b"\xc3\xa9", b"=?utf-8?q?a?="),
)
COOKIE_TEXTS: tuple[str | bytes, ...] = (
    *(text for text in NUMBER_TEXTS if len(text) < 500),
    *(text for text in WORD_TEXTS if ";" not in text),
    *(b'"1"', b'"a\\"b"', b'"\\101"', b'"\\3"', b'"a', b'a"', b'""', b"\xff", b"1; ;", b"a b"),
    *(b"1,2", b"; =1", b"=1", b"a=b=c", b"%31", b'"\\777"', b"\\", b"1; q=2; q=3"),
)
JSON_TEXTS: tuple[str, ...] = (
    *("null", "true", "0", "-0", "1", "1.0", "1.5", '""', '"1"', '"a"', "[]", "{}", "[null]"),
    *("[[]]", "1e400", "-1e400", "NaN", "Infinity", "-Infinity", "1e-400", "0.1e1"),
    *("123456789012345678901234567890", "9" * 400, "9" * 4301, "1.0000000000000000000000000001"),
    *("-1e-5", "2.5e-8", "1E5", "1e16", '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"'),
    *('"\\u0000"', '"\u2028"', '"a\\/b"', '"\x7f"', '{"a": 1, "a": 2}', '{"": 1}'),
    *('{"a": {"b": [1, {"c": null}]}}', '"' + "x" * 2000 + '"'),
)
BROKEN_BODIES: tuple[bytes, ...] = (
    *(b"{", b"[", b'"', b"{]", b"[1,]", b'{"a":1,}', b"{'a':1}", b"nul", b"nulll", b"01", b"1."),
    *(b".5", b"+1", b"-", b"1e", b"\xff", b'"\xff"', b'"\xc3\x28"', b'{"a":"\xed\xa0\x80"}'),
    *(b'"\x00"', b'"\n"', b'"\t"', b"\xef\xbb\xbf{}", b'\xef\xbb\xbf{"a":1}'),
    *(b"\xff\xfe{\x00}\x00", b"{\x00}\x00", b"\x00{\x00}", b" ", b"\n", b"\t{} \r\n", b"{} {}"),
    *(b"{}x", b"// c\n{}", b"[1 2]", b'{"a" 1}', b'{"a":}', b"{1:2}", b'"\\x"', b'"\\u12"'),
    *(b'"\\ud800\\u0041"', b"Infinity", b"-NaN", b"tru", b"[" * 150 + b"]" * 150),
    *(b"[" * 300 + b"]" * 300, b"[" * 5000 + b"]" * 5000, b'{"a":' * 300 + b"1" + b"}" * 300),
    *(b"[" * 100000, b"a=1&b=2", b"\x0b{}", b"\xc2\xa0{}", b"{}\x00", b"undefined", b"0x1"),
    *(b"1_0", b'"' + b"\\u0041" * 50 + b'"'),
)
CONTENT_TYPES: tuple[bytes | None, ...] = (
    *(None, b"", b"text/plain", b"application/x-www-form-urlencoded"),
    *(b"multipart/form-data; boundary=b", b"application/json; charset=utf-16"),
    *(b"application/json;charset=latin-1", b"APPLICATION/JSON", b"application/vnd.api+json"),
    *(b"application/+json", b"application/json+x", b"text/json", b"json"),
    *(b"application/json, text/plain", b" application/json ", b"application/json;"),
    *(b"application /json", b"application/", b"/json", b"application/json/x"),
    *(b"application/jsonx", b"application/x+JSON; a=b", b'application/json; a="b;c"'),
    *(b"application;json", b"\xff", b"application/geo+json;q=1;;", b"application/json\xff"),
    *(b"application/problem+json", b"application/json; charset", b'"application/json"'),
)
JSON_CONTENT_TYPE = b"application/json"
