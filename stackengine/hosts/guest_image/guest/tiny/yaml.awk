# A reader of YAML for the awk of busybox: block and flow collections, plain, quoted, literal and folded scalars, comments,
# anchors and aliases. Not read, and said so: merge keys (<<), complex keys (? key), several documents (only the first counts).
#
#   yaml(file) fills, by path (keys joined by SEP, list members numbered from 1, the root is ""):
#     TYPE[path]   map, seq, plain (a scalar without quotes: may be a number, a boolean or null), str, null
#     TEXT[path]   a scalar's text      TAG[path]  its tag, such as !!binary
#     SIZE[path]   number of members    KEY[path, i]  the key of member i of a map
#   and returns "" or "line N: what is wrong".

BEGIN { SEP = "\035"; for (yi = 1; yi < 256; yi++) HEX[sprintf("%02x", yi)] = sprintf("%c", yi) }

function yaml(file,    line, n) {
    NL = 0; cur = 1; YERR = ""; split("", L); split("", ANCHOR)
    split("", TYPE); split("", TEXT); split("", TAG); split("", SIZE); split("", KEY)
    while ((n = getline line < file) > 0) { sub(/\r$/, "", line); L[++NL] = line }
    close(file)
    sub(/^\357\273\277/, "", L[1])
    preamble()
    ynode("", -1)
    if (YERR == "") { skip(); if (cur <= NL) yfail("this does not belong to what is above") }
    return YERR
}

# Directives and the document's start are passed over; what follows its end is cut off.
function preamble(    i) {
    for (i = 1; i <= NL && L[i] ~ /^([%#].*|[ \t]*)$/; i++) if (L[i] ~ /^%/) L[i] = ""
    if (L[i] ~ /^---([ \t]|$)/) { L[i] = "   " substr(L[i], 4); i++ }
    for (; i <= NL; i++) if (L[i] ~ /^(---|\.\.\.)([ \t]|$)/) NL = i - 1
}

function yfail(what) { if (YERR == "") YERR = "line " (cur > NL ? NL : cur) ": " what; cur = NL + 1; return "" }
function put(path, type, text) { TYPE[path] = type; TEXT[path] = text; SIZE[path] = 0 }
function child(path, name) { return path == "" ? name : path SEP name }
function indent(i) { match(L[i], /^ */); return RLENGTH }
function spaces(n) { return sprintf("%" n "s", "") }
function skip() { while (cur <= NL && L[cur] ~ /^[ \t]*(#.*)?$/) cur++ }
function bare(s) { return s ~ /^[ \t]*$/ || s ~ /^[ \t]+#/ || s ~ /^#/ }

# A block node whose indentation is more than n.
function ynode(path, n,    i, s) {
    skip()
    i = indent(cur)
    s = substr(L[cur], i + 1)
    if (cur <= NL && s ~ /^\t/) { yfail("a tab where spaces are needed"); return }
    if (cur > NL || i <= n) { put(path, "null", ""); return }
    if (s ~ /^-([ \t]|$)/) yseq(path, i)
    else if (keyend(s)) ymap(path, i)
    else yvalue(path, n, i + 1, 0)
}

function yseq(path, i,    k, rest) {
    put(path, "seq", "")
    while (YERR == "") {
        skip()
        if (cur > NL || indent(cur) < i || substr(L[cur], i + 1) !~ /^-([ \t]|$)/) break
        k = ++SIZE[path]
        rest = substr(L[cur], i + 2); sub(/^\t+/, " ", rest)
        L[cur] = spaces(i + 1) rest
        if (bare(rest)) cur++
        ynode(child(path, k), i)
    }
    if (YERR == "" && cur <= NL && indent(cur) > i) yfail("indented more than the list it follows")
}

function ymap(path, i,    s, e, k, key, rest) {
    put(path, "map", "")
    while (YERR == "") {
        skip()
        if (cur > NL || indent(cur) < i) break
        if (indent(cur) > i) { yfail("indented more than the key above it"); break }
        s = substr(L[cur], i + 1)
        e = keyend(s)
        if (!e) { if (s !~ /^-([ \t]|$)/) yfail("a key and a colon are expected here"); break }
        key = unkey(substr(s, 1, e - 1)); rest = substr(s, e + 1)
        if (s ~ /^<<[ \t]*:/) { yfail("merge keys are not read"); break }
        if (!(child(path, key) in TYPE)) { k = ++SIZE[path]; KEY[path, k] = key }
        match(rest, /^[ \t]*/)
        yvalue(child(path, key), i, i + e + RLENGTH + 1, 1)
    }
}

# Where the colon is that ends the key at the start of s; 0 when s starts with no key.
function keyend(s,    p, c) {
    c = substr(s, 1, 1)
    if (c == "\"") { if (!match(s, /^"([^"\\]|\\.)*"[ \t]*:/)) return 0; p = RLENGTH }
    else if (c == "'") { if (!match(s, /^'([^']|'')*'[ \t]*:/)) return 0; p = RLENGTH }
    else if (c ~ /[][{}|>&*!%@`#,]/ || s ~ /^\?[ \t]/) return 0
    else {
        if (!match(s, /:([ \t]|$)/)) return 0
        p = RSTART
        if (match(s, /[ \t]#/) && RSTART < p) return 0
    }
    return substr(s, p + 1) ~ /^([ \t]|$)/ ? p : 0
}

function unkey(s,    c) {
    sub(/[ \t]+$/, "", s); c = substr(s, 1, 1)
    if (c == "\"") return unescape(substr(s, 2, length(s) - 2))
    if (c == "'") { s = substr(s, 2, length(s) - 2); gsub(/''/, "'", s) }
    return s
}

# What stands at column col of the current line, after a key (inmap) or a dash; its own lines are indented more than n.
function yvalue(path, n, col, inmap,    s, c, anchor, tag, word) {
    s = substr(L[cur], col)
    while (s ~ /^[&!]/) {
        match(s, /^[^ \t]+/); word = substr(s, 1, RLENGTH)
        if (word ~ /^&/) anchor = substr(word, 2); else tag = word
        match(s, /^[^ \t]+[ \t]*/); col += RLENGTH; s = substr(s, RLENGTH + 1)
    }
    c = substr(s, 1, 1)
    if (bare(s)) {
        cur++; skip()
        if (inmap && cur <= NL && indent(cur) == n && substr(L[cur], n + 1) ~ /^-([ \t]|$)/) yseq(path, n)
        else ynode(path, n)
    }
    else if (c == "*") { alias(path, s); return }
    else if (c == "|" || c == ">") yblock(path, n, s)
    else if (c == "\"" || c == "'") { fcol = col; put(path, "str", quoted(n)); lineend() }
    else if (c == "[" || c == "{") { fcol = col; fnode(path); lineend() }
    else if (c ~ /[]},%@`]/ || s ~ /^[-?:]([ \t]|$)/) yfail("a value cannot start with " c)
    else yplain(path, n, s)
    if (anchor != "") ANCHOR[anchor] = path
    if (tag != "") { TAG[path] = tag; if (TYPE[path] == "plain") TYPE[path] = "str" }
}

# After a quoted or flow value nothing but a comment may stand on the line.
function lineend() {
    if (YERR != "") return
    if (!bare(substr(L[cur], fcol))) { yfail("unexpected text after a value: " substr(L[cur], fcol)); return }
    cur++
}

function alias(path, s,    name) {
    match(s, /^\*[^] \t,}]+/); name = substr(s, 2, RLENGTH - 1)
    if (!(name in ANCHOR)) { yfail("unknown alias " name); return }
    if (!bare(substr(s, RLENGTH + 1))) { yfail("unexpected text after an alias"); return }
    cur++
    graft(path, ANCHOR[name])
}

function graft(to, from,    i, name) {
    put(to, TYPE[from], TEXT[from]); SIZE[to] = SIZE[from]
    if (from in TAG) TAG[to] = TAG[from]
    for (i = 1; i <= SIZE[from]; i++) {
        name = i
        if (TYPE[from] == "map") { name = KEY[from, i]; KEY[to, i] = name }
        graft(child(to, name), child(from, name))
    }
}

# A plain scalar, which may go on over lines that are indented more than n.
function yplain(path, n, s,    text, gap) {
    text = plainline(s); cur++
    while (YERR == "" && cur <= NL) {
        if (text == "" || CUT) break
        gap = 0
        while (cur <= NL && L[cur] ~ /^[ \t]*$/) { gap++; cur++ }
        if (cur > NL || indent(cur) <= n || L[cur] ~ /^[ \t]*#/) break
        s = L[cur]; sub(/^[ \t]+/, "", s)
        text = text fold(gap) plainline(s)
        if (YERR == "") cur++
    }
    put(path, "plain", text)
}

# One line of a plain scalar without its comment; CUT says that a comment ended it.
function plainline(s) {
    CUT = 0
    if (match(s, /[ \t]+#/)) { s = substr(s, 1, RSTART - 1); CUT = 1 }
    sub(/[ \t]+$/, "", s)
    if (s ~ /:([ \t]|$)/) yfail("a key is not allowed here; put the text in quotes: " s)
    return s
}

# What a line break means inside a plain or quoted scalar that is followed by gap blank lines.
function fold(gap,    s) { if (!gap) return " "; while (gap-- > 0) s = s "\n"; return s }

# A literal (|) or folded (>) scalar; s is its header.
function yblock(path, n, s,    folded, chomp, base, first, last, i, text, part, breaks, line, plain) {
    if (s !~ /^[|>]([-+]?[1-9]?|[1-9][-+])([ \t]+#.*|[ \t]*)$/) { yfail("a wrong header of a block: " s); return }
    folded = s ~ /^>/; sub(/[ \t]#.*/, "", s); chomp = s ~ /-/ ? "-" : s ~ /\+/ ? "+" : ""
    first = cur + 1
    if (match(s, /[1-9]/)) base = (n > 0 ? n : 0) + substr(s, RSTART, 1)
    else {
        base = n > 0 ? n + 1 : 1
        for (i = first; i <= NL; i++) {
            match(L[i], /^ */)
            if (RLENGTH > base) base = RLENGTH
            if (RLENGTH < length(L[i])) break
        }
    }
    text = part = breaks = ""; last = 0
    for (i = first; i <= NL; i++) {
        line = L[i]; match(line, /^ */)
        if (RLENGTH == length(line) && RLENGTH <= base) { breaks = breaks "\n"; continue }
        if (RLENGTH < base) break
        line = substr(line, base + 1); plain = line !~ /^[ \t]/
        if (!last) part = breaks line
        else if (folded && last == 2 && plain) part = part (breaks == "" ? " " : breaks) line
        else part = part "\n" breaks line
        last = plain ? 2 : 1; breaks = ""
        if (length(part) > 2048) { text = text part; part = "" }  # long texts grow by pieces, not by lines
    }
    cur = i; text = text part
    if (last && chomp != "-") text = text "\n"
    if (chomp == "+") text = text breaks
    put(path, "str", text)
}

# The quoted scalar at column fcol of the current line; leaves fcol behind its end.
function quoted(n,    q, text, s, gap, part, escaped) {
    q = substr(L[cur], fcol, 1); s = substr(L[cur], fcol + 1); fcol++
    while (YERR == "") {
        if (q == "'" ? match(s, /^([^']|'')*'/) && substr(s, RLENGTH + 1, 1) != "'" : match(s, /^([^"\\]|\\.)*"/)) {
            part = substr(s, 1, RLENGTH - 1); fcol += RLENGTH
            return text (q == "'" ? single(part) : unescape(part))
        }
        escaped = q == "\"" && odd(s)
        if (escaped) s = substr(s, 1, length(s) - 1)
        else if (match(s, /[ \t]+$/)) s = substr(s, 1, RSTART - (q == "\"" && odd(substr(s, 1, RSTART - 1)) ? 0 : 1))
        text = text (q == "'" ? single(s) : unescape(s))
        gap = 0; cur++
        while (cur <= NL && L[cur] ~ /^[ \t]*$/) { gap++; cur++ }
        if (cur > NL) { cur = NL; return yfail("a quote is never closed") }
        text = text (escaped ? (gap ? fold(gap) : "") : fold(gap))
        s = L[cur]; match(s, /^[ \t]*/); fcol = RLENGTH + 1; s = substr(s, fcol)
    }
    return text
}

# Whether s ends in an odd number of backslashes: the next character is escaped.
function odd(s) { return match(s, /\\+$/) && RLENGTH % 2 }
function single(s) { gsub(/''/, "'", s); return s }

function unescape(s,    out, c, w) {
    out = ""
    while (match(s, /\\/)) {
        out = out substr(s, 1, RSTART - 1); c = substr(s, RSTART + 1, 1); s = substr(s, RSTART + 2)
        if (c == "n") out = out "\n"
        else if (c == "t" || c == "\t") out = out "\t"
        else if (c == "r") out = out "\r"
        else if (c == "e") out = out "\033"
        else if (c == "a") out = out "\007"
        else if (c == "b") out = out "\010"
        else if (c == "v") out = out "\013"
        else if (c == "f") out = out "\014"
        else if (c ~ /[ "\/\\]/) out = out c
        else if (c == "N") out = out "\302\205"
        else if (c == "_") out = out "\302\240"
        else if (c == "L") out = out "\342\200\250"
        else if (c == "P") out = out "\342\200\251"
        else if (c == "x" || c == "u" || c == "U") {
            w = c == "x" ? 2 : c == "u" ? 4 : 8
            c = tolower(substr(s, 1, w)); s = substr(s, w + 1)
            if (length(c) != w || c ~ /[^0-9a-f]/) return yfail("a wrong escape")
            c = hex(c)
            # JSON writes what is beyond 16 bits as two halves
            if (w == 4 && c >= 55296 && c < 56320 && s ~ /^\\u[dD][c-fC-F]/) { c = 65536 + (c - 55296) * 1024 + hex(tolower(substr(s, 3, 4))) - 56320; s = substr(s, 7) }
            out = out utf8(c)
        }
        else return yfail("a wrong escape: \\" c)
    }
    return out s
}

function hex(s,    i, v) { v = 0; for (i = 1; i <= length(s); i++) v = v * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1; return v }
function byte(n) { return HEX[sprintf("%02x", n)] }
function utf8(n) {
    if (n < 128) return byte(n)
    if (n < 2048) return byte(192 + int(n / 64)) byte(128 + n % 64)
    if (n < 65536) return byte(224 + int(n / 4096)) byte(128 + int(n / 64) % 64) byte(128 + n % 64)
    return byte(240 + int(n / 262144)) byte(128 + int(n / 4096) % 64) byte(128 + int(n / 64) % 64) byte(128 + n % 64)
}

# Flow style: fcol is the column in the current line.

function fskip(    s) {
    while (cur <= NL) {
        s = substr(L[cur], fcol); match(s, /^[ \t]*/); fcol += RLENGTH; s = substr(s, RLENGTH + 1)
        if (s != "" && !(s ~ /^#/ && (fcol == 1 || substr(L[cur], fcol - 1, 1) ~ /[ \t]/))) return substr(s, 1, 1)
        cur++; fcol = 1
    }
    cur = NL
    return yfail("a bracket is never closed")
}

function fnode(path,    c, s, tag, anchor) {
    c = fskip()
    while (c == "!" || c == "&") {
        s = substr(L[cur], fcol); match(s, /^[^] \t,}]+/)
        if (c == "!") tag = substr(s, 1, RLENGTH); else anchor = substr(s, 2, RLENGTH - 1)
        fcol += RLENGTH; c = fskip()
    }
    if (c == "[") fseq(path)
    else if (c == "{") fmap(path)
    else if (c == "\"" || c == "'") put(path, "str", quoted(-1))
    else if (c == "*") {
        s = substr(L[cur], fcol); match(s, /^\*[^] \t,}]+/); s = substr(s, 2, RLENGTH - 1)
        if (!(s in ANCHOR)) { yfail("unknown alias " s); return }
        fcol += RLENGTH; graft(path, ANCHOR[s])
    }
    else put(path, "plain", fplain())
    if (anchor != "") ANCHOR[anchor] = path
    if (tag != "") { TAG[path] = tag; if (TYPE[path] == "plain") TYPE[path] = "str" }
}

function fplain(    s, text, e, gap) {
    text = ""
    while (YERR == "") {
        s = substr(L[cur], fcol)
        e = length(s) + 1
        if (match(s, /[][{},]/)) e = RSTART
        if (match(s, /:([][{}, \t]|$)/) && RSTART < e) e = RSTART
        if (match(s, /[ \t]#/) && RSTART < e) { text = text substr(s, 1, RSTART - 1); fcol += RSTART; break }
        text = text substr(s, 1, e - 1); fcol += e - 1
        if (e <= length(s)) break
        gap = 0; cur++
        while (cur <= NL && L[cur] ~ /^[ \t]*$/) { gap++; cur++ }
        if (cur > NL) { cur = NL; return yfail("a bracket is never closed") }
        match(L[cur], /^[ \t]*/); fcol = RLENGTH + 1
        if (substr(L[cur], fcol, 1) ~ /[][{},:#]/) break
        sub(/[ \t]+$/, "", text)
        text = text fold(gap)
    }
    sub(/[ \t]+$/, "", text)
    return text
}

function fseq(path,    c, k) {
    put(path, "seq", ""); fcol++
    while (YERR == "") {
        if ((c = fskip()) == "]") { fcol++; return }
        k = ++SIZE[path]
        fnode(child(path, k))
        c = fskip()
        if (c == ":") { yfail("a pair in a list needs braces"); return }
        if (c == ",") fcol++
        else if (c != "]") { yfail("a comma or ] is expected"); return }
    }
}

function fmap(path,    c, k, key) {
    put(path, "map", ""); fcol++
    while (YERR == "") {
        if ((c = fskip()) == "}") { fcol++; return }
        key = c == "\"" || c == "'" ? quoted(-1) : fplain()
        if (YERR != "") return
        if (!(child(path, key) in TYPE)) { k = ++SIZE[path]; KEY[path, k] = key }
        c = fskip()
        if (c == ":") {
            fcol++; c = fskip()
            if (c == "," || c == "}") put(child(path, key), "null", "")
            else fnode(child(path, key))
            c = fskip()
        } else put(child(path, key), "null", "")
        if (c == ",") fcol++
        else if (c != "}") { yfail("a comma or } is expected"); return }
    }
}
