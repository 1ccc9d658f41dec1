r"""What ClickHouse must do to read actions as `detections.sigma.fields` does: small functions of SQL.

They stand in the WITH of a hunt, one made of those before it. A value is a tuple:

1. what it is: 0 a mapping or empty list, 1 null, 2 a bool, 3 a number, 4 a text;
2. its text, as Python's `str` writes numbers;
3. its number, or NULL.

**Arguments** are prepared before ClickHouse parses them: every number becomes a text that begins with U+0001,
so that it keeps the way it was written and none is too large. A cast to ClickHouse's JSON type refuses what
`schemas.arguments` refuses: what is no object, a key twice at any depth, half a character.
"""

JSON_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
PLAIN_NUMBER = r"-?[0-9]{1,15}(?:\\.[0-9]{1,6})?"
STRING = r'"(?:[^"\\\\]|\\\\.)*"'

MACROS: dict[str, str] = {
    # the exponent form of Python's repr, of the digits and the exponent
    "py_exp": "(d, e) -> concat(substring(d, 1, 1), if(length(d) > 1, concat('.', substring(d, 2)), ''), 'e',"
    " if(e < 0, '-', '+'), if(abs(e) < 10, '0', ''), toString(abs(e)))",
    # a positive double as Python writes it, from the shortest digits, which ClickHouse writes otherwise
    "py_large": "s -> py_exp(trimRight(replaceOne(s, '.', ''), '0'), toInt32(length(s)) - 1)",
    "py_small": "s -> py_exp(trimLeft(substring(s, 3), '0'),"
    " toInt32(length(trimLeft(substring(s, 3), '0'))) - toInt32(length(s)) + 1)",
    "py_given": "s -> py_exp(replaceOne(splitByChar('e', s)[1], '.', ''), toInt32(splitByChar('e', s)[2]))",
    "py_plain": "s -> if(position(s, '.') > 0, s, concat(s, '.0'))",
    "py_positive": "(x, s) -> multiIf(x = 0 OR (x >= 1e-4 AND x < 1e16), py_plain(s),"
    " position(s, 'e') > 0, py_given(s), x >= 1e16, py_large(s), py_small(s))",
    "py_float": "x -> multiIf(isNaN(x), 'nan', isInfinite(x), if(x > 0, 'inf', '-inf'),"
    " concat(if(startsWith(toString(x), '-'), '-', ''),"
    " arrayMap(s -> py_positive(abs(x), s), [toString(abs(x))])[1]))",
    # a whole number as a double that compares with whole numbers up to 2^53 as it does itself
    "as_double": "i -> multiIf(i > 9007199254740992, greatest(toFloat64(i), 9007199254740994.),"
    " i < -9007199254740992, least(toFloat64(i), -9007199254740994.), toFloat64(i))",
    "text_number": f"t -> if(lengthUTF8(t) <= 40 AND match(t, '^{JSON_NUMBER}$'), toFloat64OrNull(t), NULL)",
    "of_text": "t -> tuple(toUInt8(4), t, text_number(t))",
    "of_whole": "i -> tuple(toUInt8(3), toString(i), toNullable(as_double(i)))",
    "of_double": "x -> tuple(toUInt8(3), py_float(x), toNullable(x))",
    "is_whole": "(t, x) -> NOT match(t, '[.eE]') AND x >= -9223372036854775808. AND x < 9223372036854775808.",
    "of_written": "(t, x) -> if(is_whole(t, x),"
    " arrayMap(i -> of_whole(i), [toInt128OrZero(t)])[1], of_double(x))",
    "of_token": "t -> arrayMap(x -> of_written(t, x), [toFloat64OrZero(t)])[1]",
    # a scalar of prepared JSON
    "is_token": f"s -> match(s, '^\\x01{JSON_NUMBER}$')",
    "of_string": "s -> if(is_token(s), arrayMap(t -> of_token(t), [substring(s, 2)])[1], of_text(s))",
    "of_raw": "r -> multiIf(startsWith(r, '\"'), arrayMap(s -> of_string(s), [JSONExtractString(r)])[1],"
    " r IN ('true', 'false'), tuple(toUInt8(2), r, NULL),"
    " r = 'null', tuple(toUInt8(1), '', NULL), tuple(toUInt8(0), '', NULL))",
    "marked": f"t -> if(match(t, '^{JSON_NUMBER}$'), concat('\"\\\\u0001', t, '\"'), t)",
    "prepared": "a -> arrayStringConcat(arrayMap(t -> marked(t),"
    f" extractAll(a, '(?s){STRING}|[^\"0-9-]+|-?[0-9][0-9.eE+-]*|.')))",
    "leaves": "a -> arrayMap(r -> of_raw(r), arrayFilter(t -> NOT endsWith(t, ':'),"
    f" extractAll(a, '(?s){STRING}\\\\s*:?|true|false|null')))",
    # a step on a path: lists stand for their elements, then the key is taken where there is one
    "is_list": "r -> startsWith(r, '[') AND JSONLength(r) > 0",
    "spread_once": "rs -> arrayFlatten(arrayMap(r -> if(is_list(r), JSONExtractArrayRaw(r), [r]), rs))",
    "spread": "rs -> spread_once(spread_once(spread_once(spread_once(rs))))",
    "step": "(rs, k) -> arrayMap(r -> JSONExtractRaw(r, k),"
    " arrayFilter(r -> startsWith(r, '{') AND JSONHas(r, k), spread(rs)))",
    "has_lists": "rs -> arrayExists(r -> is_list(r), rs)",
    # values as correlations group and count them
    "whole_text": "(t, n) -> if(match(t, '[.e]') AND n = trunc(n) AND abs(n) < 9223372036854775808.,"
    " toString(toInt128(ifNull(n, 0))), t)",
    "typed": "v -> multiIf(v.1 = 4, concat('s', v.2), v.1 = 2, if(v.2 = 'true', 'b1', 'b0'),"
    " v.1 = 3, concat('n', whole_text(v.2, v.3)), '')",
    "framed": "t -> concat(toString(length(t)), ':', t)",
    "keyed": "vs -> arrayStringConcat(arrayMap(t -> framed(t),"
    " arrayFilter(t -> t != '', arrayMap(v -> typed(v), vs))))",
    "countable": f"v -> multiIf(v.1 = 3, v.3, v.1 = 4 AND match(v.2, '^{PLAIN_NUMBER}$'),"
    " toFloat64OrNull(v.2), NULL)",
    "in_millionths": "x -> if(isNull(x) OR isNaN(x) OR isInfinite(x), NULL,"
    " toInt64(greatest(least(roundBankers(x * 1000000), 9e18), -9e18)))",
    "millionths": "vs -> if(length(vs) = 1, in_millionths(countable(vs[1])), NULL)",
    # parts of a time in microseconds; the Gregorian calendar repeats itself after 146,097 days
    # (a call of a function that is not a macro binds its argument, where a macro would repeat it)
    "days": "m -> toInt64(floor(m / 86400000000))",
    "cycle": "d -> modulo(modulo(d, 146097) + 146097, 146097)",
    "date": "m -> addDays(toDate32('1970-01-01'), cycle(days(m) + 25567) - 25567)",
    "year": "m -> toYear(date(m)) + 400 * toInt32(floor((days(m) + 25567) / 146097))",
    "in_years": "m -> m >= -62135596800000000 AND m <= 253402300799999999",
    "minute_of": "m -> modulo(modulo(toInt64(floor(m / 60000000)), 60) + 60, 60)",
    "hour_of": "m -> modulo(modulo(toInt64(floor(m / 3600000000)), 24) + 24, 24)",
    "micros": "n -> if(abs(n) < 1e18, toInt64OrNull(toString(toInt128(trunc(ifNull(n, 0))))), NULL)",
}


def with_macros() -> str:
    """The WITH clause's functions."""
    return ",\n".join(f"{body} AS {name}" for name, body in MACROS.items())


SETTINGS = {
    "precise_float_parsing": 1,
    "type_json_skip_duplicated_paths": 0,
    "json_type_escape_dots_in_keys": 1,
    "allow_experimental_analyzer": 1,
}
"""What a hunt asks of ClickHouse beside its SQL; the server must be 26.3 or newer (`caseFoldUTF8`)."""
