/* Whether a text is JSON. See json.h. */
#include "triage/base/json.h"
#include "triage/base/utf16.h"

#include <string.h>

struct check {
    struct slice text;
    size_t at;
};

static bool pass_value(struct check *check, unsigned depth);

static int peek(const struct check *check)
{
    return check->at < check->text.size ? check->text.data[check->at] : -1;
}

static bool pass(struct check *check, int byte)
{
    if (peek(check) != byte)
        return false;
    check->at++;
    return true;
}

static void pass_blanks(struct check *check)
{
    while (pass(check, ' '))
        ;
}

static size_t pass_digits(struct check *check)
{
    const size_t start = check->at;

    while (peek(check) >= '0' && peek(check) <= '9')
        check->at++;
    return check->at - start;
}

static bool pass_number(struct check *check)
{
    pass(check, '-');
    if (!pass(check, '0') && pass_digits(check) == 0)
        return false;
    if (pass(check, '.') && pass_digits(check) == 0)
        return false;
    if (!pass(check, 'e') && !pass(check, 'E'))
        return true;
    if (!pass(check, '+'))
        pass(check, '-');
    return pass_digits(check) > 0;
}

static bool pass_escape(struct check *check)
{
    const int byte = peek(check);

    check->at++;
    if (byte != 'u')
        return byte > 0 && strchr("\"\\/bfnrt", byte);
    for (size_t i = 0; i < 4; i++, check->at++)
        if (peek(check) <= 0 || !strchr("0123456789abcdefABCDEF", peek(check)))
            return false;
    return true;
}

static bool pass_string(struct check *check)
{
    if (!pass(check, '"'))
        return false;
    while (peek(check) >= ' ' && peek(check) != '"')
        if (pass(check, '\\') ? !pass_escape(check) : (check->at++, false))
            return false;
    return pass(check, '"');
}

static bool pass_word(struct check *check, const char *word)
{
    const size_t size = strlen(word);

    if (!slice_starts(slice_from(check->text, check->at), word))
        return false;
    check->at += size;
    return true;
}

static bool pass_list(struct check *check, unsigned depth, int closing)
{
    check->at++;
    pass_blanks(check);
    if (pass(check, closing))
        return true;
    do {
        pass_blanks(check);
        if (closing == '}' && (!pass_string(check) || (pass_blanks(check), !pass(check, ':'))))
            return false;
        if (!pass_value(check, depth + 1))
            return false;
    } while (pass(check, ','));
    return pass(check, closing);
}

static bool pass_value(struct check *check, unsigned depth)
{
    bool is_whole;

    pass_blanks(check);
    switch (depth < JSON_DEPTH ? peek(check) : -1) {
    case '{':
        is_whole = pass_list(check, depth, '}');
        break;
    case '[':
        is_whole = pass_list(check, depth, ']');
        break;
    case '"':
        is_whole = pass_string(check);
        break;
    case 't':
        is_whole = pass_word(check, "true");
        break;
    case 'f':
        is_whole = pass_word(check, "false");
        break;
    case 'n':
        is_whole = pass_word(check, "null");
        break;
    case -1:
        is_whole = false;
        break;
    default:
        is_whole = pass_number(check);
    }
    pass_blanks(check);
    return is_whole;
}

bool json_is_line(struct slice text)
{
    struct check check = {.text = text};

    return pass_value(&check, 0) && check.at == text.size && utf8_valid(text);
}

void json_line(struct json *json, struct slice text)
{
    if (json_is_line(text))
        json_raw(json, text);
    else
        json_slice(json, text);
}
