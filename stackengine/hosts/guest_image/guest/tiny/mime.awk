# Splits a MIME multipart message: FILE, into OUT/001.head, OUT/001.body and so on. Headers are unfolded, their names in lower case.
# Bodies are as transferred (base64 stays); quoted-printable ones are decoded, because busybox has no program for that.
# The boundary is taken from the message's own header, or is B when FILE is the body of a part.

BEGIN {
    if (B == "") head = 1
    while ((got = getline line <FILE) > 0) { sub(/\r$/, "", line); one(line) }
    finish()
    exit
}

function one(line) {
    if (head == 1) {  # of the whole message
        if (line == "") { B = boundary(last); head = 0; return }
        if (line ~ /^[ \t]/) last = last " " line
        else { if (boundary(last) == "") last = line }
        return
    }
    if (B != "" && (line == "--" B || line ~ /^--/ && (line == "--" B "--" || rtrim(line) == "--" B))) {
        finish()
        if (line == "--" B "--") B = ""
        else { part++; inhead = 1; header = ""; qp = 0; first = 1 }
        return
    }
    if (!part || B == "") return
    if (inhead) {
        if (line == "") { put_header(); inhead = 0; return }
        if (line ~ /^[ \t]/) header = header " " substr(line, match(line, /[^ \t]/))
        else { put_header(); header = line }
        return
    }
    if (qp) {
        soft = line ~ /=[ \t]*$/; if (soft) sub(/=[ \t]*$/, "", line)
        printf "%s%s", (first || joined ? "" : "\n"), decoded(line) >name("body")
        joined = soft
    }
    else printf "%s%s", (first ? "" : "\n"), line >name("body")
    first = 0
}

function put_header(    p) {
    if (header == "") return
    p = index(header, ":")
    print tolower(substr(header, 1, p)) substr(header, p + 1) >name("head")
    if (tolower(header) ~ /^content-transfer-encoding: *quoted-printable/) { qp = 1; joined = 0 }
    header = ""
}

function finish() { if (part) { put_header(); printf "" >name("body"); printf "" >name("head"); close(name("body")); close(name("head")) } }
function name(what) { return sprintf("%s/%03d.%s", OUT, part, what) }
function rtrim(s) { sub(/[ \t]+$/, "", s); return s }

function boundary(header,    s) {
    if (tolower(header) !~ /^content-type:/ || !match(header, /[bB][oO][uU][nN][dD][aA][rR][yY]=/)) return ""
    s = substr(header, RSTART + RLENGTH)
    if (s ~ /^"/) { s = substr(s, 2); sub(/".*/, "", s) } else sub(/[ \t;].*/, "", s)
    return s
}

function decoded(s,    out, h) {
    out = ""
    while (match(s, /=[0-9A-Fa-f][0-9A-Fa-f]/)) {
        h = tolower(substr(s, RSTART + 1, 2))
        out = out substr(s, 1, RSTART - 1) sprintf("%c", (index("0123456789abcdef", substr(h, 1, 1)) - 1) * 16 + index("0123456789abcdef", substr(h, 2, 1)) - 1)
        s = substr(s, RSTART + 3)
    }
    return out s
}
