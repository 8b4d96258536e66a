/* What an evidence item is made of, as plain data that travels from a worker to the parent. */
#ifndef TRIAGE_ENGINE_INVENTORY_H
#define TRIAGE_ENGINE_INVENTORY_H

#include "triage/base/arena.h"
#include "triage/base/buffer.h"
#include "triage/base/json.h"
#include "triage/evidence/evidence.h"

struct inventory {
    const char *path;
    enum evidence_shape shape;
    struct container container; /* zero for a folder and a single file */
    const struct volume *volumes;
    size_t volume_count;
    const struct damage *damage; /* known at opening: missing segments, truncation */
    size_t damage_count;
};

/* Texts are borrowed from the evidence, lists lie in the arena; -1 with error_text when it is out
 * of memory. */
int inventory_of(struct evidence *evidence, struct arena *arena, struct inventory *inventory);
void inventory_put(struct buffer *out, const struct inventory *inventory);
/* Texts go to the arena; -1 with error_text on malformed bytes. */
int inventory_get(struct cursor *in, struct arena *arena, struct inventory *inventory);
/* As members of the object that is open. */
void inventory_json(const struct inventory *inventory, struct json *json);
/* "disk.E01" of "/evidence/disk.E01": how outputs name the evidence. */
const char *evidence_name(const char *path);

#endif
