/* The tasks of a whole evidence item: survey it, verify it. */
#include "triage/engine/worker_parts.h"

#include "triage/base/error.h"
#include "triage/engine/inventory.h"
#include "triage/engine/survey.h"
#include "triage/record/wire.h"

enum {
    SURVEY_MEMORY = 1 << 30, /* hives are read whole */
    HOST_CEILING = 8 << 20,
};

/* A host that is too large for a frame goes without its lists: the name, the zone and the drives
 * are what all else needs. */
static void send_host(struct worker *worker, struct outbox *outbox, const struct host *host)
{
    struct host kept = *host;

    host_put(worker_frame(worker), host);
    if (worker->frame.size > HOST_CEILING) {
        worker_send_unread(
            worker, outbox, "/",
            "the survey found more than can be kept: sites, places, roles and further "
            "facts are not in host.json");
        kept.site_count = kept.place_count = kept.role_count = kept.more_count = 0;
        host_put(worker_frame(worker), &kept);
    }
    worker_send(worker, outbox, RESULT_HOST);
}

static void tell_known_limits(struct worker *worker, struct outbox *outbox, uint32_t index,
                              const struct host *host, struct arena *arena)
{
    const char *text = worker_known_limits(worker, index, host, arena);

    if (!text)
        return;
    struct buffer *out = worker_frame(worker);
    wire_put_u64(out, 0);
    wire_put_text(out, text);
    wire_put_text(out, "/");
    worker_send(worker, outbox, RESULT_NOTICE);
}

void worker_survey(struct worker *worker, struct outbox *outbox, uint32_t index)
{
    struct arena *arena = arena_new(SURVEY_MEMORY);
    struct inventory inventory;
    struct host host = {0};

    if (!arena || index >= worker->setup->evidence_count ||
        inventory_of(worker->evidence[index], arena, &inventory) < 0) {
        worker_send_unread(worker, outbox, "/", "the evidence could not be described");
        arena_free(arena);
        return;
    }
    inventory_put(worker_frame(worker), &inventory);
    worker_send(worker, outbox, RESULT_INVENTORY);
    if (survey_run(worker->evidence[index], arena, &host) < 0)
        worker_send_unread(worker, outbox, "/", error_text());
    send_host(worker, outbox, &host);
    if (!worker->setup->survey_only)
        tell_known_limits(worker, outbox, index, &host, arena);
    if (!worker->setup->survey_only)
        worker_list_wanted(worker, outbox, index, &host, arena);
    worker_send_damage(worker, outbox, index);
    arena_free(arena);
}

/* --- verification --- */

struct verify_context {
    struct worker *worker;
    struct outbox *outbox;
    uint64_t told;
};

static void verify_progress(void *context, uint64_t done, uint64_t all)
{
    struct verify_context *verify = context;
    struct buffer *out = worker_frame(verify->worker);

    wire_put_u64(out, done);
    wire_put_u64(out, all);
    worker_send(verify->worker, verify->outbox, RESULT_VERIFY_PROGRESS);
    outbox_progress(verify->outbox, done - verify->told);
    verify->told = done;
}

static void verify_point(void *context, struct slice point)
{
    struct verify_context *verify = context;

    wire_put_slice(worker_frame(verify->worker), point);
    worker_send(verify->worker, verify->outbox, RESULT_VERIFY_POINT);
}

static void put_verification(struct buffer *out, const struct verification *result)
{
    wire_put_text(out, result->computed.md5);
    wire_put_text(out, result->computed.sha1);
    wire_put_text(out, result->computed.sha256);
    wire_put_text(out, result->stored_md5);
    wire_put_text(out, result->stored_sha1);
    wire_put_u8(out, result->hash_differs);
    wire_put_u64(out, result->bytes);
    wire_put_u64(out, result->chunks);
    wire_put_u64(out, result->bad_chunks);
}

void worker_verify(struct worker *worker, struct outbox *outbox, uint32_t index, struct slice from)
{
    struct verify_context context = {worker, outbox, 0};
    struct verification result = {0};

    const struct verify_options options = {
        .from = from, .context = &context, .progress = verify_progress, .point = verify_point};

    if (image_verify_with(worker->setup->evidence[index], &options, &result) < 0) {
        worker_send_unread(worker, outbox, "/", error_text());
        return;
    }
    for (size_t i = 0; i < result.damage_count; i++) {
        struct buffer *out = worker_frame(worker);
        wire_put_u64(out, result.damage[i].offset);
        wire_put_u64(out, result.damage[i].size);
        wire_put_text(out, result.damage[i].why);
        worker_send(worker, outbox, RESULT_DAMAGE);
    }
    put_verification(worker_frame(worker), &result);
    worker_send(worker, outbox, RESULT_VERIFIED);
    verification_release(&result);
}
