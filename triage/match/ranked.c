#include "triage/match/ranked.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 512 };

/* Blocks stand in order, and the numbers in each; none is empty. */
struct ranked {
    size_t most, count, block_count, block_room;
    struct block {
        uint32_t place; /* of its numbers, in blocks */
        uint32_t count;
    } * blocks;
    uint32_t *spare; /* places that no block has */
    size_t spare_count;
    long double *numbers;
};

static long double *numbers_of(const struct ranked *ranked, size_t block)
{
    return ranked->numbers + (size_t)ranked->blocks[block].place * BLOCK;
}

struct ranked *ranked_new(size_t most)
{
    struct ranked *ranked = calloc(1, sizeof *ranked);

    if (!ranked)
        return NULL;
    /* Two halves of a block that was cut have BLOCK / 2 each; dropping makes them smaller, but
     * never more in number than numbers are. */
    ranked->most = most;
    ranked->block_room = 4 * (most / BLOCK) + 4;
    ranked->blocks = calloc(ranked->block_room, sizeof *ranked->blocks);
    ranked->spare = calloc(ranked->block_room, sizeof *ranked->spare);
    ranked->numbers = calloc(ranked->block_room * BLOCK, sizeof *ranked->numbers);
    if (!ranked->blocks || !ranked->spare || !ranked->numbers) {
        ranked_free(ranked);
        return NULL;
    }
    for (size_t i = 0; i < ranked->block_room; i++)
        ranked->spare[i] = (uint32_t)i;
    ranked->spare_count = ranked->block_room;
    return ranked;
}

void ranked_free(struct ranked *ranked)
{
    if (!ranked)
        return;
    free(ranked->blocks);
    free(ranked->spare);
    free(ranked->numbers);
    free(ranked);
}

static void insert_block(struct ranked *ranked, size_t at)
{
    assert(ranked->spare_count > 0);
    memmove(&ranked->blocks[at + 1], &ranked->blocks[at],
            (ranked->block_count - at) * sizeof *ranked->blocks);
    ranked->blocks[at] = (struct block){ranked->spare[--ranked->spare_count], 0};
    ranked->block_count++;
}

static void remove_block(struct ranked *ranked, size_t at)
{
    ranked->spare[ranked->spare_count++] = ranked->blocks[at].place;
    ranked->block_count--;
    memmove(&ranked->blocks[at], &ranked->blocks[at + 1],
            (ranked->block_count - at) * sizeof *ranked->blocks);
}

/* The numbers of the block behind `at` go to `at` when there is room for both. */
static void join_next(struct ranked *ranked, size_t at)
{
    if (at + 1 >= ranked->block_count ||
        ranked->blocks[at].count + ranked->blocks[at + 1].count > BLOCK / 2)
        return;
    memcpy(numbers_of(ranked, at) + ranked->blocks[at].count, numbers_of(ranked, at + 1),
           ranked->blocks[at + 1].count * sizeof *ranked->numbers);
    ranked->blocks[at].count += ranked->blocks[at + 1].count;
    remove_block(ranked, at + 1);
}

static void cut_block(struct ranked *ranked, size_t at)
{
    const uint32_t half = BLOCK / 2;

    insert_block(ranked, at + 1);
    memcpy(numbers_of(ranked, at + 1), numbers_of(ranked, at) + half,
           half * sizeof *ranked->numbers);
    ranked->blocks[at].count = ranked->blocks[at + 1].count = half;
}

/* The first block whose last number is not smaller; the last block when all are. */
static size_t block_for(const struct ranked *ranked, long double number)
{
    size_t low = 0, high = ranked->block_count - 1;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (numbers_of(ranked, middle)[ranked->blocks[middle].count - 1] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Place of the first number of a block that is not smaller. */
static size_t place_in(const struct ranked *ranked, size_t block, long double number)
{
    const long double *numbers = numbers_of(ranked, block);
    size_t low = 0, high = ranked->blocks[block].count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (numbers[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void ranked_add(struct ranked *ranked, long double number)
{
    assert(ranked->count < ranked->most);
    if (ranked->block_count == 0)
        insert_block(ranked, 0);
    size_t block = ranked->count ? block_for(ranked, number) : 0;
    if (ranked->blocks[block].count == BLOCK) {
        cut_block(ranked, block);
        block = block_for(ranked, number);
    }
    const size_t at = place_in(ranked, block, number);
    long double *numbers = numbers_of(ranked, block);
    memmove(&numbers[at + 1], &numbers[at], (ranked->blocks[block].count - at) * sizeof *numbers);
    numbers[at] = number;
    ranked->blocks[block].count++;
    ranked->count++;
}

void ranked_drop(struct ranked *ranked, long double number)
{
    const size_t block = block_for(ranked, number), at = place_in(ranked, block, number);
    long double *numbers = numbers_of(ranked, block);

    assert(at < ranked->blocks[block].count && !(numbers[at] < number) && !(number < numbers[at]));
    memmove(&numbers[at], &numbers[at + 1],
            (ranked->blocks[block].count - at - 1) * sizeof *numbers);
    ranked->count--;
    if (--ranked->blocks[block].count == 0) {
        remove_block(ranked, block);
        return;
    }
    join_next(ranked, block);
    if (block > 0)
        join_next(ranked, block - 1);
}

size_t ranked_count(const struct ranked *ranked)
{
    return ranked->count;
}

long double ranked_at(const struct ranked *ranked, size_t rank)
{
    size_t block = 0;

    assert(rank < ranked->count);
    while (rank >= ranked->blocks[block].count)
        rank -= ranked->blocks[block++].count;
    return numbers_of(ranked, block)[rank];
}
