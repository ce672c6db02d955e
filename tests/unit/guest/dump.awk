# Prints the tree that yaml.awk read as JSON, plain scalars as {"plain": text}: what the tests compare with PyYAML.
END {
    if ((problem = yaml(FILE)) != "") { print problem; exit 1 }
    show(""); print ""
}
function show(path,    i, name) {
    if (TYPE[path] == "null") printf "null"
    else if (TYPE[path] == "plain") { printf "{\"plain\": "; text(TEXT[path]); printf "}" }
    else if (TYPE[path] == "str") { if (path in TAG) { printf "{\"%s\": ", TAG[path]; text(TEXT[path]); printf "}" } else text(TEXT[path]) }
    else if (TYPE[path] == "seq") {
        printf "["
        for (i = 1; i <= SIZE[path]; i++) { if (i > 1) printf ", "; show(child(path, i)) }
        printf "]"
    } else {
        printf "{\"map\": ["
        for (i = 1; i <= SIZE[path]; i++) { if (i > 1) printf ", "; printf "["; text(KEY[path, i]); printf ", "; show(child(path, KEY[path, i])); printf "]" }
        printf "]}"
    }
}
function text(s,    i, c) {
    gsub(/\\/, "\\\\", s); gsub(/"/, "\\\"", s); gsub(/\n/, "\\n", s); gsub(/\t/, "\\t", s); gsub(/\r/, "\\r", s)
    for (i = 1; i < 32; i++) { c = sprintf("%c", i); if (index(s, c)) gsub(c, sprintf("\\u%04x", i), s) }
    printf "\"%s\"", s
}
