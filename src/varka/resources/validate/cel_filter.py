"""The syntax of CEL, the language of access log filters; what names mean is Envoy's business."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""\s*(?://[^\n]*\n\s*)*(?:
    (?P<number>0x[0-9a-fA-F]+u?|(?:\d+\.\d+|\.\d+|\d+)(?:[eE][+-]?\d+)?[uU]?)
    |(?P<string>[rRbB]{0,2}(?:\"\"\".*?\"\"\"|'''.*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<name>[_a-zA-Z][_a-zA-Z0-9]*)
    |(?P<operator>&&|\|\||[=!<>]=|[-+*/%<>!?:.,()\[\]{}])
    |(?P<end>$))""",
    re.VERBOSE | re.DOTALL,
)
_BINARY = frozenset(("&&", "||", "==", "!=", "<", "<=", ">", ">=", "in", "+", "-", "*", "/", "%"))
_RESERVED = frozenset(
    (
        *(
            "as",
            "break",
            "const",
            "continue",
            "else",
            "for",
            "function",
            "if",
            "import",
            "let",
            "loop",
        ),
        *("package", "namespace", "return", "var", "void", "while", "in"),
    )
)


class _Unexpected(Exception):
    pass


def check_filter(expression: str) -> str:
    """Why an expression can't be parsed, "" when it can."""
    try:
        parser = _Parser(expression)
        parser.expression()
        if parser.kind != "end":
            raise _Unexpected
    except _Unexpected:
        return (
            f"{expression!r} is no CEL expression: {parser.text or 'its end'!r} is not expected at"
            f" position {parser.start + 1}"
        )
    except RecursionError:
        return f"{expression[:40]!r}...: nested too deeply"
    return ""


class _Parser:
    """A recursive descent that only says yes or no; precedence does not matter for that."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.start = self.position = 0
        self.kind = self.text = ""
        self.next()

    def next(self) -> None:
        found = _TOKEN.match(self.source, self.position)
        if found is None or found.lastgroup is None:
            self.start, self.kind, self.text = (
                self.position,
                "invalid",
                self.source[self.position : self.position + 1],
            )
            return
        self.kind, self.text = found.lastgroup, found[found.lastgroup]
        self.start, self.position = found.start(found.lastgroup), found.end()

    def take(self, *texts: str) -> bool:
        if self.kind in ("operator", "name") and self.text in texts:
            self.next()
            return True
        return False

    def need(self, text: str) -> None:
        if not self.take(text):
            raise _Unexpected

    def expression(self) -> None:
        self.unary()
        while self.kind in ("operator", "name") and self.text in _BINARY:
            self.next()
            self.unary()
        if self.take("?"):
            self.expression()
            self.need(":")
            self.expression()

    def unary(self) -> None:
        while self.take("!", "-"):
            pass
        self.primary()
        while True:
            if self.take("."):
                self.name()
            elif self.take("["):
                self.expression()
                self.need("]")
            elif self.take("("):
                self.items(")")
            elif self.take("{"):
                self.items("}", pairs=True)
            else:
                return

    def name(self) -> None:
        if self.kind != "name":
            raise _Unexpected
        self.next()

    def primary(self) -> None:
        if self.kind in ("number", "string") or (
            self.kind == "name" and self.text not in _RESERVED
        ):
            self.next()
        elif self.take("("):
            self.expression()
            self.need(")")
        elif self.take("["):
            self.items("]")
        elif self.take("{"):
            self.items("}", pairs=True)
        elif self.take("."):
            self.name()
        else:
            raise _Unexpected

    def items(self, closing: str, *, pairs: bool = False) -> None:
        while not self.take(closing):
            self.expression()
            if pairs:
                self.need(":")
                self.expression()
            if not self.take(","):
                self.need(closing)
                return
