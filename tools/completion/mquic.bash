# SPDX-License-Identifier: MIT
# Completion of mquic's tools for bash, one file for all of them. The options are those that the
# tool's --help tells of, so that there is no second list of them.

# What stands first in lines of --help that begin with an option, such as " -t, --topic : …".
_mquic_options()
{
    "$1" --help 2>/dev/null | awk '
        /^ +-/ { for (i = 1; i <= NF && $i ~ /^-/; i++) { sub(/,$/, "", $i); print $i } }
        END { print "--help"; print "--version" }' | sort -u
}

# The commands of -D, or the properties of one: "   will: content-type, correlation-data,".
_mquic_properties()
{
    "$1" --help 2>/dev/null | awk -v wanted="${2-}" '
        /^Properties for -D/ { inside = 1; next }
        inside && /^$/ { exit }
        inside && $1 ~ /:$/ { command = substr($1, 1, length($1) - 1); $1 = "" }
        inside && wanted == "" { if (command != last) print command; last = command }
        inside && wanted == command { gsub(/,/, ""); print }'
}

# The first column of the clients that there are, if this user may see them.
_mquic_clients()
{
    "$1" --quiet 2>/dev/null | awk '$1 ~ /^[0-9]+\.[0-9]+$/ { print $1 }'
}

# Words that can follow an option, one a line; files and directories are the caller's.
_mquic_words()
{
    case $2 in
        --congestion-control) printf '%s\n' cubic reno bbr ;;
        -q | --qos | --will-qos) printf '%s\n' 0 1 2 ;;
        -V | --protocol-version) printf '%s\n' mqttv5 mqttv311 mqttv31 ;;
        --sort) printf '%s\n' client address age rtt loss streams queued memory user id ;;
        --close) _mquic_clients "$1" ;;
        -D | --property) _mquic_properties "$1" ;;
    esac
}

# Whether an option is followed by a word of its own: those are told of by their values.
_mquic_takes_word()
{
    case $1 in
        -[tmfqhpLiIuPoVkMxFCWTUDAw] | --topic | --message | --file | --qos | --repeat | \
            --repeat-delay | --ack-timeout | --host | --port | --url | --id | --id-prefix | \
            --username | --pw | --protocol-version | --keepalive | --max-* | --will-topic | \
            --will-payload | --will-qos | --session-expiry-interval | --property | --filter-out | \
            --unsubscribe | --random-filter | --server-name | --tls-alpn | --congestion-control | \
            --connect | --listen | --days | --name | --out | --watch | --sort | --user | \
            --address | --close | --close-id | --close-address) return 0 ;;
    esac
    return 1
}

_mquic()
{
    local command=$1 current=$2 previous=$3
    local before=${COMP_WORDS[COMP_CWORD - 2]-}
    local words=""

    COMPREPLY=()
    case $previous in
        -f | --file | --pw-file | -o | --cafile | --cert | --key | --tls-keylog | --ca-cert | \
            --ca-key | --socket)
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            return
            ;;
        --capath | --dir)
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -d -- "$current")
            return
            ;;
    esac
    if ((COMP_CWORD > 2)) && [[ $before == -D || $before == --property ]]; then
        words=$(_mquic_properties "$command" "$previous")
    elif _mquic_takes_word "$previous"; then
        words=$(_mquic_words "$command" "$previous")
    elif [[ ${command##*/} == mquic-keygen ]] && ((COMP_CWORD == 1)) && [[ $current != -* ]]; then
        words="ca server client"
    else
        words=$(_mquic_options "$command")
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -F _mquic mquic-gateway mquic-keygen mquic-pub mquic-status mquic-sub mquic-tunnel
