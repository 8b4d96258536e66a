/*
 * The Authenticode signature of a program: whether there is one, and the name in the certificate
 * that it says it was made with. Nothing is verified: a signature can be a copy of another file's.
 */
#include "triage/formats/pe_tables.h"

#include "triage/base/utf16.h"

enum {
    HEADER_SIZE = 8,
    TYPE_PKCS_SIGNED_DATA = 2,
    SIGNATURE_MOST = 256 * 1024,
    NAME_MOST = 512,
    TAG_INTEGER = 0x02,
    TAG_OID = 0x06,
    TAG_UTF8 = 0x0C,
    TAG_BMP = 0x1E,
    TAG_SEQUENCE = 0x30,
    TAG_SET = 0x31,
    TAG_CONTEXT_0 = 0xA0,
    TAG_CONTEXT_1 = 0xA1,
};

struct element {
    uint8_t tag;
    struct slice content;
};

/* The next DER element; false at the end and for lengths that do not fit. */
static bool next(struct cursor *c, struct element *element)
{
    if (!cursor_left(c))
        return false;
    element->tag = cursor_u8(c);
    uint32_t size = cursor_u8(c);
    if (size == 0x80 || size > 0x84)
        return false; /* unknown length: not DER; longer than any signature */
    if (size > 0x80) {
        const unsigned bytes = size & 0x7F;
        size = 0;
        for (unsigned i = 0; i < bytes; i++)
            size = size << 8 | cursor_u8(c);
    }
    element->content = cursor_take(c, size);
    return !cursor_failed(c);
}

/* The next element, which must have this tag. */
static bool expect(struct cursor *c, uint8_t tag, struct element *element)
{
    return next(c, element) && element->tag == tag;
}

/* Goes into the next element, which must have this tag. */
static bool enter(struct cursor *c, uint8_t tag, struct cursor *inside)
{
    struct element element;

    if (!expect(c, tag, &element))
        return false;
    *inside = cursor_over(element.content, 0);
    return true;
}

static const char *string_text(struct arena *arena, const struct element *string)
{
    const struct slice text = slice_part(string->content, 0, NAME_MOST);

    if (string->tag == TAG_BMP) { /* big-endian UTF-16: turned round first */
        uint8_t *turned = arena_take(arena, text.size + 1);
        if (!turned)
            return NULL;
        for (size_t i = 0; i + 1 < text.size; i += 2)
            turned[i] = text.data[i + 1], turned[i + 1] = text.data[i];
        return utf16_to_text(arena, slice_of(turned, text.size & ~(size_t)1), true);
    }
    return arena_text(arena, text);
}

/* The common name of a Name, that is of a run of sets of { type, value }; else the organisation. */
static const char *common_name(struct arena *arena, struct slice name)
{
    static const struct slice common = {(const uint8_t *)"\x55\x04\x03", 3},
                              organisation = {(const uint8_t *)"\x55\x04\x0A", 3};
    struct cursor c = cursor_over(name, 0), set, pair;
    struct element type, value;
    const char *found = NULL;

    while (enter(&c, TAG_SET, &set)) {
        if (!enter(&set, TAG_SEQUENCE, &pair) || !expect(&pair, TAG_OID, &type) ||
            !next(&pair, &value))
            continue;
        if (slice_equal(type.content, common))
            return string_text(arena, &value);
        if (slice_equal(type.content, organisation) && !found)
            found = string_text(arena, &value);
    }
    return found;
}

/* Serial number and subject of a certificate. */
static bool read_certificate(struct cursor certificate, struct slice *serial, struct slice *subject)
{
    struct cursor body;
    struct element element;

    if (!enter(&certificate, TAG_SEQUENCE, &body) || !next(&body, &element))
        return false;
    if (element.tag == TAG_CONTEXT_0 && !next(&body, &element)) /* the version is optional */
        return false;
    if (element.tag != TAG_INTEGER)
        return false;
    *serial = element.content;
    for (unsigned i = 0; i < 3; i++) /* algorithm, issuer, validity */
        if (!expect(&body, TAG_SEQUENCE, &element))
            return false;
    if (!expect(&body, TAG_SEQUENCE, &element))
        return false;
    *subject = element.content;
    return true;
}

/* The serial number that the first signer information names. */
static bool read_signer(struct cursor data, struct slice *serial)
{
    struct cursor signers, signer, issuer_and_serial;
    struct element element;

    while (next(&data, &element) && element.tag != TAG_SET)
        continue;
    if (element.tag != TAG_SET)
        return false;
    signers = cursor_over(element.content, 0);
    if (!enter(&signers, TAG_SEQUENCE, &signer) || !expect(&signer, TAG_INTEGER, &element) ||
        !enter(&signer, TAG_SEQUENCE, &issuer_and_serial) ||
        !expect(&issuer_and_serial, TAG_SEQUENCE, &element) ||
        !expect(&issuer_and_serial, TAG_INTEGER, &element))
        return false;
    *serial = element.content;
    return true;
}

static const char *signer_name(struct arena *arena, struct slice signed_data)
{
    struct cursor c = cursor_over(signed_data, 0), outer, wrapped, data, certificates, certificate;
    struct element element;
    struct slice wanted, serial, subject;

    if (!enter(&c, TAG_SEQUENCE, &outer) || !expect(&outer, TAG_OID, &element) ||
        !enter(&outer, TAG_CONTEXT_0, &wrapped) || !enter(&wrapped, TAG_SEQUENCE, &data) ||
        !expect(&data, TAG_INTEGER, &element) || !expect(&data, TAG_SET, &element) ||
        !expect(&data, TAG_SEQUENCE, &element) || !enter(&data, TAG_CONTEXT_0, &certificates) ||
        !read_signer(data, &wanted))
        return NULL;
    while (enter(&certificates, TAG_SEQUENCE, &certificate))
        if (read_certificate(certificate, &serial, &subject) && slice_equal(serial, wanted))
            return common_name(arena, subject);
    return NULL;
}

static void damaged(struct pe_signature *signature, const char *problem)
{
    signature->state = PE_SIGNATURE_DAMAGED;
    signature->problem = problem;
}

void pe_signature_read(const struct pe_image *image, struct arena *arena,
                       struct pe_signature *signature)
{
    const struct pe_range *range = &image->directories[PE_CERTIFICATES];

    *signature = (struct pe_signature){.offset = range->address, .size = range->size};
    if (!range->address || !range->size)
        return;
    if (range->address > image->source.size || range->size > image->source.size - range->address ||
        range->size < HEADER_SIZE) {
        damaged(signature, "the signature lies outside of the file");
        return;
    }
    const struct slice bytes =
        image->source.window(image->source.context, range->address,
                             range->size < SIGNATURE_MOST ? range->size : SIGNATURE_MOST);
    struct cursor c = cursor_over(bytes, range->address);
    const uint32_t size = cursor_u32le(&c);
    cursor_skip(&c, 2);
    const uint16_t type = cursor_u16le(&c);
    if (cursor_failed(&c) || size < HEADER_SIZE || size > range->size) {
        damaged(signature, "the signature has a length that cannot be");
        return;
    }
    signature->state = PE_SIGNED;
    if (type == TYPE_PKCS_SIGNED_DATA)
        signature->signer = signer_name(arena, slice_part(bytes, HEADER_SIZE, size - HEADER_SIZE));
}
