#include "triage/match/regex.h"

#include "triage/base/error.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdlib.h>

enum {
    MATCH_LIMIT = 1000000,
    DEPTH_LIMIT = 100000,
    HEAP_LIMIT_KIB = 32 * 1024,
    JIT_STACK_FIRST = 32 * 1024,
    JIT_STACK_MOST = 4 * 1024 * 1024,
    REASON_SIZE = 160,
};

struct regex {
    pcre2_code *code;
};

struct regex_scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack; /* NULL where there is no JIT */
    char reason[REASON_SIZE];
};

static uint32_t pcre2_options(unsigned options)
{
    uint32_t result = 0;

    result |= options & REGEX_CASELESS ? PCRE2_CASELESS : 0;
    result |= options & REGEX_MULTILINE ? PCRE2_MULTILINE : 0;
    result |= options & REGEX_DOTALL ? PCRE2_DOTALL : 0;
    result |= options & REGEX_UNICODE ? PCRE2_UTF : 0;
#ifdef PCRE2_MATCH_INVALID_UTF
    result |= options & REGEX_UNICODE ? PCRE2_MATCH_INVALID_UTF : 0;
#endif
    return result | PCRE2_NEVER_BACKSLASH_C;
}

static bool is_ascii(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] >= 0x80)
            return false;
    return true;
}

int regex_new(struct slice pattern, unsigned options, struct regex **out)
{
    char reason[REASON_SIZE] = "";
    PCRE2_SIZE place = 0;
    int code = 0;
    struct regex *regex = calloc(1, sizeof *regex);

    if (!regex)
        return error_set("out of memory");
    if (!is_ascii(pattern))
        options |= REGEX_UNICODE;
    regex->code = pcre2_compile(pattern.data ? pattern.data : (const uint8_t *)"", pattern.size,
                                pcre2_options(options), &code, &place, NULL);
    if (!regex->code) {
        free(regex);
        pcre2_get_error_message(code, (PCRE2_UCHAR *)reason, sizeof reason);
        return error_set("regular expression: %s at byte %zu", reason, (size_t)place);
    }
    pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE); /* without it the interpreter matches */
    *out = regex;
    return 0;
}

void regex_free(struct regex *regex)
{
    if (!regex)
        return;
    pcre2_code_free(regex->code);
    free(regex);
}

int regex_scratch_new(struct regex_scratch **out)
{
    struct regex_scratch *scratch = calloc(1, sizeof *scratch);

    if (!scratch)
        return error_set("out of memory");
    scratch->data = pcre2_match_data_create(1, NULL);
    scratch->context = pcre2_match_context_create(NULL);
    if (!scratch->data || !scratch->context) {
        regex_scratch_free(scratch);
        return error_set("out of memory");
    }
    scratch->stack = pcre2_jit_stack_create(JIT_STACK_FIRST, JIT_STACK_MOST, NULL);
    if (scratch->stack)
        pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
    pcre2_set_match_limit(scratch->context, MATCH_LIMIT);
    pcre2_set_depth_limit(scratch->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(scratch->context, HEAP_LIMIT_KIB);
    *out = scratch;
    return 0;
}

void regex_scratch_free(struct regex_scratch *scratch)
{
    if (!scratch)
        return;
    pcre2_match_data_free(scratch->data);
    pcre2_match_context_free(scratch->context);
    pcre2_jit_stack_free(scratch->stack);
    free(scratch);
}

enum regex_answer regex_search(const struct regex *regex, struct regex_scratch *scratch,
                               struct slice subject, const char **why)
{
    const int result = pcre2_match(regex->code, subject.data ? subject.data : (const uint8_t *)"",
                                   subject.size, 0, 0, scratch->data, scratch->context);

    if (result >= 0)
        return REGEX_YES;
    if (result == PCRE2_ERROR_NOMATCH || result == PCRE2_ERROR_PARTIAL)
        return REGEX_NO;
    pcre2_get_error_message(result, (PCRE2_UCHAR *)scratch->reason, sizeof scratch->reason);
    *why = scratch->reason;
    return REGEX_GAVE_UP;
}
