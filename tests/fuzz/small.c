/* Small readers that no other target leads to: transaction logs of hives, rows and messages of
 * helper programs, owners on NTFS, lists of hashes, builds of Exchange, YARA rules, and what is
 * taken for JSON. */
#include "tests/fuzz/target.h"

#include "triage/base/json.h"
#include "triage/engine/exchange_builds.h"
#include "triage/evidence/ntfs_owner.h"
#include "triage/formats/hive.h"
#include "triage/formats/hive_log.h"
#include "triage/formats/json_reader.h"
#include "triage/helpers/channel.h"
#include "triage/match/known_good.h"
#include "triage/match/matcher.h"
#include "triage/record/helper_rows.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MEMORY = 64 << 20,
    HIVE_ROOM = 1 << 20,
    MOST_IDS = 4096,
    MOST_PACKETS = 64,
    MOST_RULE = 4096
};

static const struct log_source sources[] = {{"webserver", "windows", "iis"}, {NULL, NULL, NULL}};

/* u32 size of the hive, u32 size of the first log, then the three. */
void fuzz_hive_log(const struct fuzz_target *target, const char *file_name, struct slice input)
{
    struct cursor c = cursor_over(input, 0);
    const size_t hive_size = cursor_u32le(&c) % HIVE_ROOM, log_size = cursor_u32le(&c);
    const struct slice rest = slice_from(input, 8), hive = slice_part(rest, 0, hive_size);
    const struct slice logs[HIVE_LOGS] = {slice_part(slice_from(rest, hive_size), 0, log_size),
                                          slice_from(slice_from(rest, hive_size), log_size)};
    struct hive_image image = {calloc(1, HIVE_ROOM), hive.size, HIVE_ROOM};
    struct hive_replay replay = {0};
    struct arena *arena = arena_new(MEMORY);
    struct hive *opened;

    (void)target, (void)file_name;
    demand(image.bytes != NULL, "there is memory");
    if (hive.size)
        memcpy(image.bytes, hive.data, hive.size);
    hive_log_replay(&image, logs, &replay);
    demand(image.size <= image.room, "a hive grows within its room");
    demand(replay.entries || replay.base_block ||
               (image.size == hive.size &&
                (!hive.size || memcmp(image.bytes, hive.data, hive.size) == 0)),
           "a log that does not fit changes nothing");
    hive_open(slice_of(image.bytes, image.size), arena, &opened);
    arena_free(arena);
    free(image.bytes);
}

void fuzz_owners(const struct fuzz_target *target, const char *file_name, struct slice input)
{
    struct ntfs_owners *owners = ntfs_owners_new(input);
    char text[SID_TEXT_SIZE];

    (void)target, (void)file_name;
    for (uint32_t id = 0; owners && id < MOST_IDS; id++) {
        const char *sid = ntfs_owner_sid(owners, id);
        demand(!sid || strncmp(sid, "S-", 2) == 0, "an owner is a SID");
    }
    ntfs_owners_free(owners);
    if (ntfs_sid_text(input, text))
        demand(strlen(text) < SID_TEXT_SIZE, "a SID has room");
}

/* Frames of a helper that was taken over, a size in front of each; what is understood is read
 * again. */
void fuzz_helper_rows(const struct fuzz_target *target, const char *file_name, struct slice input)
{
    struct helper_reader *reader = calloc(1, sizeof *reader);
    struct cursor c = cursor_over(input, 0);

    (void)target, (void)file_name;
    demand(reader != NULL, "there is memory");
    while (cursor_left(&c) >= 4) {
        const struct slice frame = cursor_take(&c, cursor_u32le(&c));
        if (cursor_failed(&c) || helper_read(reader, frame) < 0)
            break;
        demand(reader->column_count <= HELPER_COLUMNS_MOST, "columns are bounded");
        for (size_t i = 0; i < reader->column_count; i++)
            demand(strlen(reader->columns[i]) <= HELPER_NAME_MOST &&
                       (reader->kind != HELPER_ROW || helper_value(reader, reader->columns[i])),
                   "a column has a name and a value");
    }
    free(reader);
}

/* Packets, a u16 size in front of each, as a peer that was taken over sends them. */
void fuzz_channel(const struct fuzz_target *target, const char *file_name, struct slice input)
{
    int sockets[2];
    struct channel channel;
    struct message message;
    struct cursor c = cursor_over(input, 0);

    (void)target, (void)file_name;
    demand(channel_pair(sockets) == 0 && channel_init(&channel, sockets[0]) == 0,
           "there is a channel");
    for (size_t i = 0; i < MOST_PACKETS && cursor_left(&c) >= 2; i++) {
        const struct slice packet = cursor_take(&c, cursor_u16le(&c));
        if (cursor_failed(&c) ||
            send(sockets[1], packet.data, packet.size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            break;
    }
    close(sockets[1]);
    while (channel_receive(&channel, channel_now() + 1000, &message) == 1)
        demand(message.kind != CHANNEL_MORE && message.body.size <= CHANNEL_MESSAGE_MAX,
               "a message is whole and bounded");
    channel_release(&channel);
    close(sockets[0]);
}

void fuzz_known_hashes(const struct fuzz_target *target, const char *file_name, struct slice input)
{
    struct known_good *known = NULL;
    const struct slice hash = slice_part(input, 0, 64);
    const struct known_file file = {.path = "C:\\inetpub\\wwwroot\\x.aspx",
                                    .md5 = slice_part(input, 0, 32),
                                    .sha1 = slice_part(input, 0, 40),
                                    .sha256 = hash};

    (void)target, (void)file_name;
    if (known_good_new(&known) == 0 && known_good_add_hashes(known, input) == 0 &&
        known_good_compile(known) == 0) {
        const enum known_state state = known_good_judge(known, &file);
        demand(state == KNOWN_NOTHING || state == KNOWN_TRUSTED, "a hash is trusted or not known");
        demand(known_good_hashes(known) <= input.size / 32 + 1, "hashes have their digits");
    }
    known_good_free(known);
}

void fuzz_exchange_builds(const struct fuzz_target *target, const char *file_name,
                          struct slice input)
{
    static const uint16_t installed[4] = {15, 1, 2106, 13};
    struct arena *arena = arena_new(MEMORY);
    struct exchange_builds builds = {0};

    (void)target, (void)file_name;
    if (exchange_builds_parse(input, arena, &builds) == 0) {
        const struct exchange_build *found = exchange_builds_find(&builds, installed);
        demand(!found || exchange_build_compare(found->number, installed) <= 0,
               "a build's name is not that of a later one");
    }
    arena_free(arena);
}

/* Rules from the net: they must load, or say why not, and search without harm. */
void fuzz_yara(const struct fuzz_target *target, const char *file_name, struct slice input)
{
    struct rule_set *set = NULL;

    (void)target, (void)file_name;
    if (rule_set_new(sources, &set) == 0 &&
        rule_set_load_text(set, "fuzz.yar", slice_part(input, 0, MOST_RULE)) == 0 &&
        rule_set_compile(set) == 0)
        for (size_t i = 0; i < rule_set_count(set); i++)
            demand(rule_set_rule(set, i)->state == RULE_ACTIVE || rule_set_rule(set, i)->reason,
                   "a rule that is not active says why");
    rule_set_free(set);
}

/* What is taken for JSON can be read as such. */
void fuzz_json(const struct fuzz_target *target, const char *file_name, struct slice input)
{
    struct arena *arena = arena_new(MEMORY);
    struct json_value *root = NULL;
    struct buffer out = BUFFER_EMPTY;
    struct json json = json_over(&out, false);

    (void)target, (void)file_name;
    demand(!json_is_line(input) || json_read(input, arena, &root) == 0, "JSON is read as JSON");
    json_array(&json);
    json_line(&json, input);
    json_array_end(&json);
    demand(json_is_line(buffer_slice(&out)), "what is written is JSON in one line");
    buffer_release(&out);
    arena_free(arena);
}
