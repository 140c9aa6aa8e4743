#!/usr/bin/awk -f
# Reads JSON, prints a line "path TAB value" for each value in it: {"meta": {"a": 1}, "b": ["x"]} becomes
#   meta.a  1
#   b.0     x
# A value is one line: control characters in it (public keys end with a line feed) become spaces.

{ text = text $0 " " }

END { value("") }

# take PATTERN: removes what the pattern matches at the start of the text, and returns it.
function take(pattern, found) {
  if (!match(text, "^(" pattern ")")) return ""
  found = substr(text, 1, RLENGTH)
  text = substr(text, RLENGTH + 1)
  take("[ \t\r]+")
  return found
}

function value(path) {
  take("[ \t\r]+")
  if (take("[{]")) members(path, "}")
  else if (take("[[]")) members(path, "]")
  else if (text ~ /^"/) print path "\t" string()
  else print path "\t" take("[^],} \t\r]+")
}

# The members of an object or, numbered from 0, of an array, up to the bracket that closes it.
function members(path, closing, number, name) {
  for (number = 0; text != "" && substr(text, 1, 1) != closing; number++) {
    name = number
    if (closing == "}") {
      name = string()
      take(":")
    }
    value(path == "" ? name : path "." name)
    take(",")
  }
  take("[]}]")
}

function string(    raw, plain) {
  raw = take("\"([^\"\\\\]|\\\\.)*\"")
  raw = substr(raw, 2, length(raw) - 2)
  while (match(raw, /\\(u[0-9a-fA-F]+|.)/)) {
    plain = plain substr(raw, 1, RSTART - 1)
    raw = substr(raw, RSTART + 1)
    plain = plain escaped(substr(raw, 1, 1), substr(raw, 2, 4))
    raw = substr(raw, raw ~ /^u/ ? 6 : 2)
  }
  return plain raw
}

# The character that an escape sequence stands for; \u only up to the end of ISO 8859-1, in UTF-8.
function escaped(letter, hex, code) {
  if (letter ~ /[bfnrt]/) return " "
  if (letter != "u") return letter
  code = ("0x" hex) + 0
  if (code < 32) return " "
  if (code < 128) return sprintf("%c", code)
  return sprintf("%c%c", 192 + int(code / 64), 128 + code % 64)
}
