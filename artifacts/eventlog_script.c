#include "artifacts/eventlog_script.h"

#include "triage/base/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPEN_MOST = 64,      /* blocks that wait for parts; the oldest gives way */
    TEXT_MOST = 4 << 20, /* of one block */
    ID_SIZE = 64,
    VALUES_MOST = 64,
};

struct block {
    char id[ID_SIZE];     /* "": free */
    uint64_t next, total; /* the part that is waited for */
    uint64_t age;
    struct buffer text;
};

struct script_blocks {
    struct block open[OPEN_MOST];
    uint64_t clock, incomplete;
};

struct script_blocks *script_blocks_new(void)
{
    return calloc(1, sizeof(struct script_blocks));
}

void script_blocks_free(struct script_blocks *blocks)
{
    if (!blocks)
        return;
    for (size_t i = 0; i < OPEN_MOST; i++)
        buffer_release(&blocks->open[i].text);
    free(blocks);
}

static void drop(struct script_blocks *blocks, struct block *block)
{
    blocks->incomplete += block->id[0] != 0;
    block->id[0] = 0;
    buffer_release(&block->text);
}

static struct block *find(struct script_blocks *blocks, struct slice id)
{
    for (size_t i = 0; i < OPEN_MOST; i++)
        if (blocks->open[i].id[0] && slice_is(id, blocks->open[i].id))
            return &blocks->open[i];
    return NULL;
}

/* A free place, or that of the block that has waited longest. */
static struct block *make(struct script_blocks *blocks, struct slice id, uint64_t total)
{
    struct block *block = &blocks->open[0];

    for (size_t i = 0; i < OPEN_MOST && block->id[0]; i++)
        if (!blocks->open[i].id[0] || blocks->open[i].age < block->age)
            block = &blocks->open[i];
    drop(blocks, block);
    memcpy(block->id, id.data, id.size);
    block->id[id.size] = 0;
    block->next = 1;
    block->total = total;
    return block;
}

/* The part's event with the whole text in place of its own. */
static void emit_whole(struct job *job, const struct event *part, const struct block *block)
{
    struct value values[VALUES_MOST];
    struct event whole = *part;
    char numbers[48];

    snprintf(numbers, sizeof numbers, "1-%llu", (unsigned long long)block->total);
    whole.value_count = part->value_count < VALUES_MOST ? part->value_count : VALUES_MOST;
    memcpy(values, part->values, whole.value_count * sizeof *values);
    for (size_t i = 0; i < whole.value_count; i++) {
        const struct slice name = slice_of_text(values[i].name);
        if (slice_is(name, "ScriptBlockText"))
            values[i].text = buffer_slice(&block->text);
        else if (slice_is(name, "MessageNumber"))
            values[i].text = slice_of_text(numbers);
    }
    whole.values = values;
    whole.raw = buffer_slice(&block->text);
    whole.render = NULL;
    whole.record = slice_of(NULL, 0);
    job_emit(job, &whole);
}

static void add_part(struct script_blocks *blocks, struct block *block, struct job *job,
                     const struct event *part)
{
    const struct slice text = event_value(part, "ScriptBlockText");

    block->age = ++blocks->clock;
    if (block->text.size + text.size > TEXT_MOST) {
        job_notice(job, part->offset, "a script block of more than 4 MiB is not put together");
        drop(blocks, block);
        return;
    }
    buffer_add(&block->text, text);
    if (buffer_failed(&block->text)) {
        drop(blocks, block);
    } else if (block->next++ == block->total) {
        emit_whole(job, part, block);
        block->id[0] = 0;
        buffer_release(&block->text);
    }
}

void script_block_take(struct script_blocks *blocks, struct job *job, const struct event *part)
{
    const struct slice id = event_value(part, "ScriptBlockId");
    uint64_t number, total;

    if (!slice_to_u64(event_value(part, "MessageNumber"), &number) ||
        !slice_to_u64(event_value(part, "MessageTotal"), &total) || total < 2 || id.size == 0 ||
        id.size >= ID_SIZE)
        return;
    struct block *block = find(blocks, id);
    if (!block && number == 1)
        block = make(blocks, id, total);
    if (!block || block->next != number || block->total != total)
        blocks->incomplete += !block && number == total;
    else
        add_part(blocks, block, job, part);
}

void script_blocks_finish(struct script_blocks *blocks, struct job *job)
{
    for (size_t i = 0; i < OPEN_MOST; i++)
        drop(blocks, &blocks->open[i]);
    if (!blocks->incomplete)
        return;
    job_notice_format(
        job, 0, "%llu PowerShell script blocks lack parts: only their single parts were searched",
        (unsigned long long)blocks->incomplete);
}
