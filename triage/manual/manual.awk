# Manual pages and completions out of the program's own tables, so that each option is described once:
#   awk -f manual.awk [-v command=NAME] [-v version=V] COMMANDS OPTIONS_C DETAILS WRITERS... TEMPLATE
# Sources are told apart by their names: options.c (the table of options), options.man (what a page says beyond --help), files of
# commands/ and report/ (their descriptors). The last file, *.in, is copied; a line that is only @NAME@ is replaced, and one that is
# only @name@ by that part of options.man.

function unquoted(text) {
    gsub(/\\"/, "\"", text)
    return text
}

# ---- the sources ----

# {'o', "output", "DIR", "help", TYPE, AT(member), FOR_RUN | FOR_EXTRACT},
function read_option(line,    part, count, tail) {
    gsub(/\\"/, "\001", line)
    count = split(line, part, "\"")
    option_count++
    letter[option_count] = part[1] ~ /'.'/ ? substr(part[1], index(part[1], "'") + 1, 1) : ""
    name[option_count] = part[2]
    argument[option_count] = part[3] ~ /NULL/ ? "" : part[4]
    help[option_count] = part[3] ~ /NULL/ ? part[4] : part[6]
    gsub(/\001/, "\"", help[option_count])
    tail = part[count]
    kind[option_count] = tail
    sub(/^, */, "", kind[option_count])
    sub(/,.*/, "", kind[option_count])
    sub(/.*\), */, "", tail)
    commands[option_count] = tail
}

function between_quotes(line) {
    sub(/^[^"]*"/, "", line)
    sub(/"[^"]*$/, "", line)
    return unquoted(line)
}

function belongs(i, to) {
    return commands[i] ~ /FOR_ALL/ || commands[i] ~ ("FOR_" toupper(to) "([^A-Z]|$)") ||
           (commands[i] ~ /FOR_IMAGES/ && images ~ ("FOR_" toupper(to) "([^A-Z]|$)"))
}

FILENAME ~ /options\.c$/ {
    if ($0 ~ /FOR_IMAGES *=/) {
        images = $0
        sub(/,.*/, "", images)
    }
    if ($0 ~ /^    \{('.'|0), "/)
        read_option($0)
    next
}
FILENAME ~ /options\.man$/ {
    if ($0 ~ /^@/)
        subject = substr($0, 2)
    else if (subject != "")
        details[subject] = details[subject] $0 "\n"
    next
}
FILENAME ~ /commands\/[a-z_]*\.c$/ && /^    \.name = "/ { pending = between_quotes($0) }
FILENAME ~ /commands\/[a-z_]*\.c$/ && /^    \.usage = "/ && pending != "" {
    command_names[++command_count] = pending
    usage[pending] = between_quotes($0)
}
FILENAME ~ /commands\/[a-z_]*\.c$/ && /^    \.summary = "/ && pending != "" {
    summary[pending] = between_quotes($0)
    pending = ""
}
FILENAME ~ /report\/[a-z0-9_]*\.c$/ && /^    \.name = "/ {
    formats[++format_count] = between_quotes($0)
}
FILENAME ~ /report\/[a-z0-9_]*\.c$/ && /^    \.file = "/ { format_file[format_count] = between_quotes($0) }
FILENAME ~ /report\/[a-z0-9_]*\.c$/ && /^    \.title = "/ { format_title[format_count] = between_quotes($0) }
FILENAME ~ /report\/[a-z0-9_]*\.c$/ && /^    \.optional = true/ { format_optional[format_count] = 1 }
FILENAME !~ /\.in$/ { next }

# ---- manual pages ----

function roff(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/`/, "", text)
    return text
}

# Names of options and fixed words stand as they are typed, placeholders in italics.
function roff_argument(text) {
    return text == "" ? "" : text ~ /[|]/ ? " \\fB" roff(text) "\\fR" : " \\fI" roff(text) "\\fR"
}

function man_options(    i) {
    for (i = 1; i <= option_count; i++) {
        if (!belongs(i, command))
            continue
        print ".TP"
        print (letter[i] != "" ? "\\fB\\-" letter[i] "\\fR, " : "") "\\fB\\-\\-" roff(name[i]) "\\fR" roff_argument(argument[i])
        print toupper(substr(roff(help[i]), 1, 1)) substr(roff(help[i]), 2) "."
        printf "%s", details[name[i]]
    }
}

function man_formats(    i) {
    for (i = 1; i <= format_count; i++) {
        print ".TP"
        print ".B " roff(formats[i])
        print "\\fI" roff(format_file[i]) "\\fR: " roff(format_title[i]) (format_optional[i] ? "; only when named" : "") "."
    }
}

function man_commands(    i) {
    for (i = 1; i <= command_count; i++) {
        print ".TP"
        print ".BR extriage\\-" command_names[i] " (1)"
        print toupper(substr(summary[command_names[i]], 1, 1)) substr(roff(summary[command_names[i]]), 2) "."
    }
}

# ---- completions ----

function words_of(i) {
    return kind[i] == "LEVEL_VALUE" ? "informational low medium high critical" \
         : kind[i] == "LOG_FORMAT" ? "text json" \
         : kind[i] == "SNAPSHOTS" ? "all none" \
         : name[i] == "sign" ? "gpg gpg: ssh:" \
         : name[i] == "format" ? format_words() : ""
}

function format_words(    i, words) {
    words = "all"
    for (i = 1; i <= format_count; i++)
        words = words " " formats[i]
    return words
}

function wants_folder(i) { return argument[i] == "DIR" }
function wants_path(i) { return argument[i] == "PATH" || argument[i] == "FILE" || argument[i] == "DIR" }

# The first clause of the help, short enough for a menu.
function short_help(i,    text) {
    text = help[i]
    sub(/[:;(].*/, "", text)
    sub(/ *$/, "", text)
    gsub(/'/, "", text)
    return text
}

function bash_options(    c, i, list) {
    for (c = 1; c <= command_count; c++) {
        list = ""
        for (i = 1; i <= option_count; i++)
            if (belongs(i, command_names[c]))
                list = list (letter[i] != "" ? " -" letter[i] : "") " --" name[i]
        print "    " command_names[c] ") options='" substr(list, 2) "' ;;"
    }
}

function bash_values(    i, words, pattern) {
    for (i = 1; i <= option_count; i++) {
        if (argument[i] == "")
            continue
        pattern = (letter[i] != "" ? "-" letter[i] " | " : "") "--" name[i]
        words = words_of(i)
        print "    " pattern ") " (words != "" ? "words='" words "'" : wants_folder(i) ? "kind=folder" : wants_path(i) ? "kind=path" : "kind=none") " ;;"
    }
}

function zsh_text(text) {
    gsub(/\\|\[|\]|:/, "\\\\&", text)
    return text
}

function zsh_options(    c, i, words, action) {
    for (c = 1; c <= command_count; c++) {
        print "        " command_names[c] ")"
        print "            specs=("
        for (i = 1; i <= option_count; i++) {
            if (!belongs(i, command_names[c]))
                continue
            words = words_of(i)
            action = words != "" ? (name[i] == "format" ? "_values -s , output " words : "(" words ")") \
                   : wants_folder(i) ? "_files -/" : wants_path(i) ? "_files" : " "
            print "                '" (kind[i] == "LIST" || kind[i] == "COUNT" ? "*" : "") "--" name[i] "[" zsh_text(short_help(i)) "]" \
                  (argument[i] == "" ? "" : ":" zsh_text(argument[i]) ":" action) "'"
            if (letter[i] != "")
                print "                '" (kind[i] == "LIST" || kind[i] == "COUNT" ? "*" : "") "-" letter[i] "[" zsh_text(short_help(i)) "]" \
                      (argument[i] == "" ? "" : ":" zsh_text(argument[i]) ":" action) "'"
        }
        print "            )"
        print "            ;;"
    }
}

function zsh_commands(    c, text) {
    for (c = 1; c <= command_count; c++) {
        text = summary[command_names[c]]
        gsub(/'/, "", text)
        print "        '" command_names[c] ":" zsh_text(text) "'"
    }
}

function fish_commands(    c, text) {
    for (c = 1; c <= command_count; c++) {
        text = summary[command_names[c]]
        gsub(/'/, "\\'", text)
        print "complete -c extriage -n __fish_use_subcommand -f -a " command_names[c] " -d '" text "'"
    }
}

function fish_options(    c, i, words) {
    for (c = 1; c <= command_count; c++)
        for (i = 1; i <= option_count; i++) {
            if (!belongs(i, command_names[c]))
                continue
            words = words_of(i)
            print "complete -c extriage -n '__fish_seen_subcommand_from " command_names[c] "' -l " name[i] \
                  (letter[i] != "" ? " -s " letter[i] : "") \
                  (argument[i] == "" ? "" : words != "" ? " -x -a '" words "'" : wants_path(i) ? " -r -F" : " -x") \
                  " -d '" short_help(i) "'"
        }
}

function list_commands(    c, list) {
    for (c = 1; c <= command_count; c++)
        list = list " " command_names[c]
    return substr(list, 2)
}

$0 == "@OPTIONS@" { man_options(); next }
$0 == "@FORMATS@" { man_formats(); next }
$0 == "@COMMANDS@" { man_commands(); next }
/^@[a-z-]+@$/ { printf "%s", details[substr($0, 2, length($0) - 2)]; next }
$0 == "@BASH_OPTIONS@" { bash_options(); next }
$0 == "@BASH_VALUES@" { bash_values(); next }
$0 == "@ZSH_COMMANDS@" { zsh_commands(); next }
$0 == "@ZSH_OPTIONS@" { zsh_options(); next }
$0 == "@FISH_COMMANDS@" { fish_commands(); next }
$0 == "@FISH_OPTIONS@" { fish_options(); next }
{
    gsub(/@VERSION@/, version)
    gsub(/@COMMAND_NAMES@/, list_commands())
    print
}
