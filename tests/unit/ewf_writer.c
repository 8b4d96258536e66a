/* Format: EWF specification of the libewf project. Chunks alternate: compressed, plain, zeroes. */
#include "tests/unit/ewf_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { SECTOR_SIZE = 512, DESCRIPTOR_SIZE = 76 };

static void put(uint8_t *bytes, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
}

static void put_sum(uint8_t *bytes, size_t size)
{
    put(bytes + size, adler32_z(1, bytes, size), 4);
}

static void descriptor(FILE *file, const char *kind, uint64_t body_size, bool last)
{
    uint8_t bytes[DESCRIPTOR_SIZE] = {0};
    uint64_t at = (uint64_t)ftell(file);

    memcpy(bytes, kind, strlen(kind));
    put(bytes + 16, last ? at : at + DESCRIPTOR_SIZE + body_size, 8);
    put(bytes + 24, DESCRIPTOR_SIZE + body_size, 8);
    put_sum(bytes, DESCRIPTOR_SIZE - 4);
    fwrite(bytes, 1, sizeof bytes, file);
}

static void section(FILE *file, const char *kind, const void *body, size_t size)
{
    descriptor(file, kind, size, false);
    fwrite(body, 1, size, file);
}

static uint64_t chunk_total(const struct writer *writer)
{
    return (writer->medium.size + WRITER_CHUNK_SIZE - 1) / WRITER_CHUNK_SIZE;
}

static void geometry(const struct writer *writer, FILE *file, const char *kind)
{
    uint8_t bytes[1052] = {1};
    uint64_t sectors =
        writer->claimed_sectors ? writer->claimed_sectors : writer->medium.size / SECTOR_SIZE;
    size_t size = writer->smart ? 94 : 1052;

    put(bytes + 4, chunk_total(writer), 4);
    put(bytes + 8, WRITER_CHUNK_SIZE / SECTOR_SIZE, 4);
    put(bytes + 12, SECTOR_SIZE, 4);
    put(bytes + 16, sectors, writer->smart ? 4 : 8);
    if (!writer->smart)
        memset(bytes + 64, writer->set_id, 16);
    put_sum(bytes, size - 4);
    section(file, kind, bytes, size);
}

static void header(FILE *file)
{
    static const char text[] = "1\r\nmain\r\nc\tn\ta\te\tt\tav\tov\tm\tu\tp\r\n"
                               "case 7\texhibit 1\tmail server\tM\xfcller\t\t6.19\tWindows\t"
                               "2021 3 6 9 30 0\t2021 3 6 9 31 0\t0\r\n\r\n";
    uint8_t packed[1024];
    uLongf size = sizeof packed;

    compress2(packed, &size, (const Bytef *)text, sizeof text - 1, 6);
    section(file, "header", packed, size);
}

static void packed_section(FILE *file, const char *kind, const char *text)
{
    uint8_t packed[1024];
    uLongf size = sizeof packed;

    compress2(packed, &size, (const Bytef *)text, strlen(text), 6);
    section(file, kind, packed, size);
}

static void unread_sectors(const struct writer *writer, FILE *file)
{
    uint8_t bytes[520 + 8 * 64 + 4] = {0};
    size_t size = 8 * (size_t)writer->unread_count;

    put(bytes, writer->unread_count, 4);
    put_sum(bytes, 516);
    for (size_t i = 0; i < 2 * (size_t)writer->unread_count; i++)
        put(bytes + 520 + 4 * i, writer->unread[i], 4);
    put_sum(bytes + 520, size);
    section(file, "error2", bytes, 520 + size + 4);
}

static void hashes(const struct writer *writer, FILE *file)
{
    uint8_t bytes[80] = {0};

    if (writer->md5[0]) {
        memcpy(bytes, writer->md5[0], 16);
        put_sum(bytes, 76);
        section(file, "digest", bytes, 80);
    }
    if (writer->md5[1]) {
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, writer->md5[1], 16);
        put_sum(bytes, 32);
        section(file, "hash", bytes, 36);
    }
    if (writer->xml)
        packed_section(file, "xhash",
                       "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xhash>\n"
                       "\t<md5>00112233445566778899AABBCCDDEEFF</md5>\n"
                       "\t<sha1>000102030405060708090a0b0c0d0e0f10111213</sha1>\n</xhash>\n\n");
}

static size_t encode(struct slice chunk, bool compressed, uint8_t *out)
{
    uLongf size = 2 * WRITER_CHUNK_SIZE;

    if (compressed) {
        compress2(out, &size, chunk.data, chunk.size, 1);
        return size;
    }
    memcpy(out, chunk.data, chunk.size);
    put_sum(out, chunk.size);
    return chunk.size + 4;
}

static void write_table(FILE *file, const char *kind, const uint8_t *entries, uint32_t count,
                        uint64_t base, size_t chunks_size)
{
    uint8_t head[24] = {0}, sum[4];

    put(head, count, 4);
    put(head + 8, base, 8);
    put_sum(head, 20);
    descriptor(file, kind, sizeof head + 4 * (size_t)count + (chunks_size ? chunks_size : 4),
               false);
    fwrite(head, 1, sizeof head, file);
    fwrite(entries, 4, count, file);
    put(sum, adler32_z(1, entries, 4 * (size_t)count), 4);
    if (!chunks_size)
        fwrite(sum, 1, sizeof sum, file);
}

static void write_chunks(const struct writer *writer, struct writer_segment *segment, FILE *file)
{
    uint8_t entries[64 * 4], *packed = malloc((size_t)segment->chunk_count * 2 * WRITER_CHUNK_SIZE);
    uint64_t start = (uint64_t)ftell(file), base = writer->smart ? 0 : start;
    uint64_t at = start + DESCRIPTOR_SIZE + (writer->smart ? 24 + 4 * segment->chunk_count : 0);
    size_t size = 0;

    for (uint32_t i = 0; i < segment->chunk_count; i++) {
        uint64_t chunk = segment->first_chunk + i;
        bool compressed = writer->smart || chunk % 3 != 1;
        segment->chunk_at[i] = at + size;
        put(entries + 4 * (size_t)i,
            (segment->chunk_at[i] - base) | (compressed ? UINT32_C(1) << 31 : 0), 4);
        size += encode(slice_part(writer->medium, chunk * WRITER_CHUNK_SIZE, WRITER_CHUNK_SIZE),
                       compressed, packed + size);
    }
    segment->sectors_at = segment->table_at = start;
    if (writer->smart) {
        write_table(file, "table", entries, segment->chunk_count, base, size);
        fwrite(packed, 1, size, file);
    } else {
        section(file, "sectors", packed, size);
        segment->table_at = (uint64_t)ftell(file);
        write_table(file, "table", entries, segment->chunk_count, base, 0);
        segment->table2_at = (uint64_t)ftell(file);
        write_table(file, "table2", entries, segment->chunk_count, base, 0);
    }
    free(packed);
}

/* Three plain chunks from 2 GiB - 6000 on, so the second one crosses the limit and the third lies
 * behind it. */
static void write_far_chunks(const struct writer *writer, struct writer_segment *segment,
                             FILE *file)
{
    uint64_t start = (uint64_t)ftell(file), first = (UINT64_C(1) << 31) - 6000;
    uint64_t end = first + (uint64_t)segment->chunk_count * (WRITER_CHUNK_SIZE + 4);
    uint8_t entries[64 * 4], packed[WRITER_CHUNK_SIZE + 4];

    descriptor(file, "sectors", end - start - DESCRIPTOR_SIZE, false);
    for (uint32_t i = 0; i < segment->chunk_count; i++) {
        segment->chunk_at[i] = first + (uint64_t)i * sizeof packed;
        put(entries + 4 * (size_t)i, segment->chunk_at[i], 4);
        encode(slice_part(writer->medium, (size_t)i * WRITER_CHUNK_SIZE, WRITER_CHUNK_SIZE), false,
               packed);
        fseek(file, (long)segment->chunk_at[i], SEEK_SET);
        fwrite(packed, 1, sizeof packed, file);
    }
    write_table(file, "table", entries, segment->chunk_count, 0, 0);
}

static int write_segment(const struct writer *writer, struct writer_segment *segment,
                         uint32_t number, bool last)
{
    uint8_t head[13] = "EVF\x09\r\n\xff\0\x01";
    FILE *file = fopen(segment->path, "wb");

    if (!file)
        return -1;
    put(head + 9, number, 2);
    fwrite(head, 1, sizeof head, file);
    if (number == 1 && writer->xml)
        packed_section(file, "xheader",
                       "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xheader>\n"
                       "\t<case_number>a < b & c</case_number>\n"
                       "\t<examiner_name>M\xC3\xBCller</examiner_name>\n</xheader>\n\n");
    else if (number == 1)
        header(file);
    if (number == 1 || !writer->smart)
        geometry(writer, file, number == 1 ? "volume" : "data");
    if (writer->far_apart)
        write_far_chunks(writer, segment, file);
    else
        write_chunks(writer, segment, file);
    segment->unread_at = (uint64_t)ftell(file);
    if (last && writer->unread_count)
        unread_sectors(writer, file);
    if (last)
        hashes(writer, file);
    descriptor(file, last ? "done" : "next", 0, true);
    segment->end = (uint64_t)ftell(file);
    return fclose(file);
}

static void name_segment(const struct writer *writer, const char *folder, const char *stem,
                         uint32_t number, struct writer_segment *segment)
{
    char first = (char)((writer->smart ? 'S' : 'E') + (writer->lower_case ? 'a' - 'A' : 0));
    char other = writer->lower_case ? 'a' : 'A';
    uint32_t beyond = number - 100;

    if (number < 100)
        snprintf(segment->path, sizeof segment->path, "%s/%s.%c%02u", folder, stem, first, number);
    else
        snprintf(segment->path, sizeof segment->path, "%s/%s.%c%c%c", folder, stem,
                 (char)(first + beyond / 676), (char)(other + beyond / 26 % 26),
                 (char)(other + beyond % 26));
}

int writer_run(struct writer *writer, const char *folder, const char *stem)
{
    uint64_t total = chunk_total(writer);

    writer->segment_count = (uint32_t)((total + writer->chunks_each - 1) / writer->chunks_each);
    if (writer->segment_count > WRITER_SEGMENTS_MAX)
        return -1;
    for (uint32_t i = 0; i < writer->segment_count; i++) {
        struct writer_segment *segment = &writer->segments[i];
        uint64_t left;
        name_segment(writer, folder, stem, i + 1, segment);
        segment->first_chunk = (uint64_t)i * writer->chunks_each;
        left = total - segment->first_chunk;
        segment->chunk_count = left < writer->chunks_each ? (uint32_t)left : writer->chunks_each;
        if (write_segment(writer, segment, i + 1, i + 1 == writer->segment_count) < 0)
            return -1;
    }
    return 0;
}

void file_flip(const char *path, uint64_t at)
{
    FILE *file = fopen(path, "r+b");
    int byte;

    fseek(file, (long)at, SEEK_SET);
    byte = fgetc(file);
    fseek(file, (long)at, SEEK_SET);
    fputc(byte ^ 0x55, file);
    fclose(file);
}

void file_cut(const char *path, uint64_t size)
{
    if (truncate(path, (off_t)size) < 0)
        perror(path);
}

void file_put(const char *path, uint64_t at, struct slice bytes)
{
    FILE *file = fopen(path, "r+b");

    fseek(file, (long)at, SEEK_SET);
    fwrite(bytes.data, 1, bytes.size, file);
    fclose(file);
}
