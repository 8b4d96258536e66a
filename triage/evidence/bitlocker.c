/* Protector types and encryption methods: libyal, "BitLocker Drive Encryption (BDE) format". */
#include "triage/evidence/bitlocker.h"

#include "triage/base/error.h"
#include "triage/base/guid.h"
#include "triage/base/utf16.h"
#include "triage/evidence/image_methods.h"
#include "triage/helpers/bitlocker.h"
#include "triage/helpers/helper.h"
#include "triage/record/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    UNLOCK_SECONDS = 120, /* a password is hashed a million times, for each protector */
    WINDOW_SIZE = 256 << 10,
    WINDOWS = 8,
    REASON_MAX = 600,
};

struct window {
    bool valid;
    uint64_t number;
    size_t size;
};

struct bitlocker_image {
    struct image image;
    struct image *encrypted;
    uint64_t offset, size;
    struct helper *helper;
    struct buffer unlock; /* the request with the keys, for a fresh process */
    struct buffer request, answer, protectors;
    unsigned protector_count;
    bool is_open;
    uint16_t method;
    char reason[200]; /* why libbde gave up on a key; "" when it was just the wrong one */
    struct window windows[WINDOWS];
    uint8_t *bytes; /* WINDOWS times WINDOW_SIZE */
};

static const struct name {
    uint16_t number;
    const char *text;
} protector_names[] =
    {
        {0x0000, "none (protection is suspended)"},
        {0x0100, "TPM"},
        {0x0200, "startup key (--bek)"},
        {0x0500, "TPM and PIN"},
        {0x0800, "recovery key (--recovery-key)"},
        {0x2000, "password (--password)"},
},
  method_names[] = {
      {0x8000, "AES-128-CBC with diffuser"},
      {0x8001, "AES-256-CBC with diffuser"},
      {0x8002, "AES-128-CBC"},
      {0x8003, "AES-256-CBC"},
      {0x8004, "AES-128-XTS"},
      {0x8005, "AES-256-XTS"},
};

static const char *name_of(const struct name *names, size_t count, uint16_t number)
{
    for (size_t i = 0; i < count; i++)
        if (names[i].number == number)
            return names[i].text;
    return "another kind";
}

/* ---- the program ---- */

static ssize_t read_encrypted(void *context, uint64_t offset, void *buffer, size_t size)
{
    const struct bitlocker_image *self = context;

    return image_read(self->encrypted, self->offset + offset, buffer, size);
}

static int ask(struct bitlocker_image *self, struct slice body,
               int (*row)(void *context, struct slice row))
{
    const struct helper_source source = {
        .id = 1, .size = self->size, .read = read_encrypted, .context = self};
    const struct helper_request request = {
        .body = body,
        .source = &source,
        .row = row,
        .context = self,
        .answer = &self->answer,
        .seconds = UNLOCK_SECONDS,
    };

    return helper_ask(self->helper, &request);
}

static int take_protector(void *context, struct slice row)
{
    struct bitlocker_image *self = context;
    struct cursor c = cursor_over(row, 0);
    const uint16_t type = cursor_u16le(&c);
    const struct slice guid = cursor_take(&c, GUID_SIZE);
    char text[GUID_TEXT_SIZE];

    if (cursor_failed(&c) || cursor_left(&c) || self->protector_count == BITLOCKER_PROTECTORS_MAX)
        return error_set("the list of protectors makes no sense");
    buffer_format(&self->protectors, "%s%s ", self->protector_count++ ? ", " : "",
                  name_of(protector_names, sizeof protector_names / sizeof *protector_names, type));
    buffer_add_text(&self->protectors, guid_braced(guid, text));
    return 0;
}

static void put_keys(struct buffer *out, const struct bitlocker_keys *keys)
{
    wire_put_u8(out, BITLOCKER_UNLOCK);
    wire_put_slice(out, slice_of_text(keys ? keys->recovery_key : NULL));
    wire_put_slice(out, slice_of_text(keys ? keys->password : NULL));
    wire_put_slice(out, keys ? keys->startup_key : slice_of(NULL, 0));
}

/* The program's words, made harmless. */
static void put_reason(struct bitlocker_image *self, struct slice text)
{
    struct buffer clean = BUFFER_EMPTY;

    utf8_append_repaired(&clean, slice_part(text, 0, sizeof self->reason / 2));
    for (size_t i = 0; i < clean.size; i++)
        if (clean.data[i] < ' ' || clean.data[i] == 0x7F)
            clean.data[i] = ' ';
    snprintf(self->reason, sizeof self->reason, "%s", clean.size ? buffer_text(&clean) : "");
    buffer_release(&clean);
}

static int unlock(struct bitlocker_image *self)
{
    buffer_clear(&self->protectors);
    self->protector_count = 0;
    if (buffer_failed(&self->unlock))
        return error_set("out of memory");
    if (ask(self, buffer_slice(&self->unlock), take_protector) != 0)
        return -1;
    struct cursor c = cursor_over(buffer_slice(&self->answer), 0);
    self->is_open = cursor_u8(&c) != 0;
    const uint64_t size = cursor_u64le(&c);
    self->method = cursor_u16le(&c);
    put_reason(self, wire_get_slice(&c));
    if (cursor_failed(&c) || (self->is_open && (size == 0 || size > self->size)))
        return error_set("the answer makes no sense");
    self->image.container.size = size;
    return 0;
}

/* ---- as a medium ---- */

static int ask_for_window(struct bitlocker_image *self, uint64_t number)
{
    struct buffer *request = &self->request;

    buffer_clear(request);
    wire_put_u8(request, BITLOCKER_READ);
    wire_put_u64(request, number * WINDOW_SIZE);
    wire_put_u32(request, WINDOW_SIZE);
    return buffer_failed(request) ? error_set("out of memory")
                                  : ask(self, buffer_slice(request), NULL);
}

/* After a crash the process that answers is a fresh one, which has no key yet. */
static int fetch(struct bitlocker_image *self, uint64_t number, struct window *window)
{
    window->valid = false;
    if (ask_for_window(self, number) != 0 &&
        (unlock(self) < 0 || !self->is_open || ask_for_window(self, number) != 0))
        return error_prefix("the BitLocker volume");
    const struct slice bytes = slice_part(buffer_slice(&self->answer), 0, WINDOW_SIZE);
    if (bytes.size)
        memcpy(self->bytes + (number % WINDOWS) * WINDOW_SIZE, bytes.data, bytes.size);
    *window = (struct window){.valid = true, .number = number, .size = bytes.size};
    return 0;
}

static ssize_t bitlocker_read(struct image *image, uint64_t offset, void *buffer, size_t size)
{
    struct bitlocker_image *self = (struct bitlocker_image *)image;
    const uint64_t hits = image_damage_hits(self->encrypted);
    size_t done = 0;

    while (done < size) {
        const uint64_t number = (offset + done) / WINDOW_SIZE;
        const size_t within = (size_t)((offset + done) % WINDOW_SIZE);
        struct window *window = &self->windows[number % WINDOWS];
        if ((!window->valid || window->number != number) && fetch(self, number, window) < 0)
            return -1;
        const struct slice all =
            slice_of(self->bytes + (number % WINDOWS) * WINDOW_SIZE, window->size);
        const struct slice part = slice_part(all, within, size - done);
        if (part.size == 0)
            break;
        memcpy((uint8_t *)buffer + done, part.data, part.size);
        done += part.size;
    }
    if (image_damage_hits(self->encrypted) != hits)
        image->damage_hits++;
    return (ssize_t)done;
}

static void bitlocker_close(struct image *image)
{
    struct bitlocker_image *self = (struct bitlocker_image *)image;

    helper_stop(self->helper);
    if (self->unlock.size)
        explicit_bzero(self->unlock.data, self->unlock.size);
    buffer_release(&self->unlock);
    buffer_release(&self->request);
    buffer_release(&self->answer);
    buffer_release(&self->protectors);
    image_release_damage(image);
    free(self->bytes);
    free(self);
}

static const struct image_methods bitlocker_methods = {
    .read = bitlocker_read,
    .close = bitlocker_close,
};

/* ---- open ---- */

static bool has_key(const struct bitlocker_keys *keys)
{
    return keys && (keys->recovery_key || keys->password || keys->startup_key.size);
}

/* Why it stays shut, with what would open it. */
static int refuse(struct bitlocker_image *self, bool tried)
{
    const char *protectors = buffer_text(&self->protectors);

    return error_set("it is encrypted with BitLocker, and %s%s%s%s; its protectors: %.*s",
                     tried ? "the given key does not open it" : "no key was given",
                     *self->reason ? " (" : "", self->reason, *self->reason ? ")" : "", REASON_MAX,
                     *protectors ? protectors : "none that are known");
}

static struct bitlocker_image *new_image(struct image *encrypted, uint64_t offset, uint64_t size)
{
    struct bitlocker_image *self = calloc(1, sizeof *self);

    if (!self || !(self->bytes = malloc((size_t)WINDOWS * WINDOW_SIZE))) {
        free(self);
        error_set("out of memory");
        return NULL;
    }
    self->image.methods = &bitlocker_methods;
    self->image.container.format = "BitLocker";
    self->image.container.sector_size = image_container(encrypted)->sector_size;
    self->encrypted = encrypted;
    self->offset = offset;
    self->size = size;
    return self;
}

int bitlocker_open(struct image *image, uint64_t offset, uint64_t size,
                   const struct bitlocker_keys *keys, struct image **out, const char **method)
{
    struct bitlocker_image *self = new_image(image, offset, size);
    int result;

    if (!self)
        return -1;
    put_keys(&self->unlock, keys);
    if (helper_start("bitlocker", "libbde", &self->helper) < 0)
        result = error_prefix("it is encrypted with BitLocker; unlock it elsewhere (dislocker, "
                              "bdemount) and give the decrypted volume");
    else if (unlock(self) < 0)
        result = error_prefix("it is encrypted with BitLocker");
    else
        result = self->is_open ? 0 : refuse(self, has_key(keys));
    if (result < 0) {
        bitlocker_close(&self->image);
        return -1;
    }
    *method = name_of(method_names, sizeof method_names / sizeof *method_names, self->method);
    *out = &self->image;
    return 0;
}
