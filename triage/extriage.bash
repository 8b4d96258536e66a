# bash completion for extriage
_extriage()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} options
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "run info verify extract report merge rules --help --version" -- "$current"))
        return
    fi
    case $previous in
    -m | --min-level | --fail-level)
        COMPREPLY=($(compgen -W "informational low medium high critical" -- "$current"))
        return
        ;;
    --log-format)
        COMPREPLY=($(compgen -W "text json" -- "$current"))
        return
        ;;
    --sign)
        COMPREPLY=($(compgen -W "gpg gpg: ssh:" -- "$current"))
        return
        ;;
    rules)
        COMPREPLY=($(compgen -W "list check test" -- "$current"))
        return
        ;;
    esac
    if [[ $current == -* ]]; then
        options=$("${COMP_WORDS[0]}" "${COMP_WORDS[1]}" --help 2>/dev/null | grep -oE -- '--?[a-zA-Z][a-z-]*' | sort -u)
        COMPREPLY=($(compgen -W "$options" -- "$current"))
        return
    fi
    compopt -o filenames
    COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _extriage extriage
