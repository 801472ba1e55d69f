# Analyses the documents that the requester named as input files.
#
#   analyse.sh one    the document with the number of this task in its bag
#   analyse.sh all    every document
#
# The runtime gives the folder and the names of the files in IEXEC_* variables and expects the result,
# and computed.json that points to it, in $IEXEC_OUT.
set -eu

analyse() { # FILE NUMBER
    printf 'document %s\n' "$2"
    printf '  lines           %s\n' "$(wc -l <"$1")"
    printf '  words           %s\n' "$(wc -w <"$1")"
    printf '  bytes           %s\n' "$(wc -c <"$1")"
    printf '  distinct words  %s\n' "$(words "$1" | sort -u | wc -l)"
    printf '  sha256          %s\n' "$(sha256sum <"$1" | cut -c 1-64)"
    printf '  most frequent words of four letters or more\n'
    words "$1" | grep -E '^.{4,}$' | sort | uniq -c | sort -k1,1nr -k2,2 | head -n 10 |
        while read -r count word; do printf '    %5s  %s\n' "$count" "$word"; done
}

words() { # FILE: one lower-case word a line
    tr 'A-Z' 'a-z' <"$1" | tr -cs 'a-z' '\n' | sed '/^$/d'
}

case "${1:-all}" in
    one) first=$((IEXEC_BOT_TASK_INDEX + 1)) last=$first ;;
    all) first=1 last=$IEXEC_INPUT_FILES_NUMBER ;;
    *) echo "analyse.sh: '$1' is neither 'one' nor 'all'" >&2; exit 2 ;;
esac

echo "documents: $IEXEC_INPUT_FILES_NUMBER" >"$IEXEC_OUT/analysis.txt"
number=$first
while [ "$number" -le "$last" ]; do
    eval "name=\$IEXEC_INPUT_FILE_NAME_$number"
    echo "analysing document $number"
    analyse "$IEXEC_INPUT_FILES_FOLDER/$name" "$number" >>"$IEXEC_OUT/analysis.txt"
    number=$((number + 1))
done
printf '{"deterministic-output-path": "%s/analysis.txt"}' "$IEXEC_OUT" >"$IEXEC_OUT/computed.json"
