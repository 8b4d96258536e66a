/* Records of the change journal become events with the path of their time. */
#include "tests/unit/artifact_case.h"

#include "artifacts/log_names.h"
#include "triage/formats/usn.h"

#include <stdio.h>
#include <string.h>

enum { ROOM = 4 << 20, PAGE = 4096 };

static const uint64_t day = UINT64_C(132592032000000000); /* 2021-03-03 */
static const uint64_t root = UINT64_C(5) | UINT64_C(5) << 48;
static uint8_t *bytes;
static size_t used;
static struct host host;

static uint64_t reference(uint64_t entry, uint64_t sequence)
{
    return entry | sequence << 48;
}

static void put(uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[used++] = (uint8_t)(value >> 8 * i);
}

static void put_name(const char *name)
{
    for (; *name; name++)
        put((uint8_t)*name, 2);
}

/* One record of version 2 or 3 at the end of what is there. Gives its offset. */
static size_t add_version(unsigned version, uint64_t file, uint64_t parent, uint32_t reason,
                          uint32_t attributes, const char *name)
{
    const size_t start = used, header = version == 2 ? 60 : 76;
    const size_t size = (header + 2 * strlen(name) + 7) & ~(size_t)7;
    const size_t reference_size = version == 2 ? 8 : 16;

    put(size, 4);
    put(version, 2);
    put(0, 2);
    put(file, 8);
    put(0, reference_size - 8);
    put(parent, 8);
    put(0, reference_size - 8);
    put(start, 8);
    put(day + start * 10000, 8);
    put(reason, 4);
    put(0, 8);
    put(attributes, 4);
    put(2 * strlen(name), 2);
    put(header, 2);
    put_name(name);
    used = start + size;
    return start;
}

static size_t add(uint64_t file, uint64_t parent, uint32_t reason, const char *name)
{
    return add_version(2, file, parent, reason, ATTRIBUTE_ARCHIVE, name);
}

static void add_folder(uint64_t file, uint64_t parent, uint32_t reason, const char *name)
{
    add_version(2, file, parent, reason, USN_FOLDER, name);
}

static void put_u64(size_t at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[at + i] = (uint8_t)(value >> 8 * i);
}

static int set_up(void **context)
{
    (void)context;
    bytes = calloc(1, ROOM);
    used = 0;
    memset(&fake, 0, sizeof fake);
    return bytes ? 0 : -1;
}

static int tear_down(void **context)
{
    (void)context;
    fake_job_release(&fake);
    free(bytes);
    return 0;
}

static struct drive drive = {.letter = 'C'};

static void init(void)
{
    host.drives = &drive;
    host.drive_count = 1;
    fake_job_init(&fake, "usn_journal", "$Extend/$UsnJrnl", slice_of(bytes, used), "");
    fake.job.host = &host;
}

static int parse(void)
{
    init();
    return fake.job.artifact->parse(&fake.job);
}

/* ---- records ---- */

static enum usn_step step(struct usn_window *window, struct usn_record *record)
{
    struct slice damage;

    return usn_next(window, record, &damage);
}

static void a_record_of_version_2_is_read(void **context)
{
    struct usn_record record;

    (void)context;
    add(reference(30, 1), root, USN_FILE_CREATE | USN_CLOSE, "a.txt");
    struct usn_window window = {.bytes = slice_of(bytes, used), .last = true};
    assert_int_equal(step(&window, &record), USN_RECORD);
    assert_int_equal(record.version, 2);
    assert_int_equal(usn_entry(record.file.low), 30);
    assert_int_equal(usn_sequence(record.file.low), 1);
    assert_true(record.parent.low == root);
    assert_true(record.when.ticks == (int64_t)day);
    assert_int_equal(record.reason, USN_FILE_CREATE | USN_CLOSE);
    assert_int_equal(record.name.size, 10);
    assert_int_equal(step(&window, &record), USN_END);
}

static void a_record_of_version_3_is_read(void **context)
{
    struct usn_record record;

    (void)context;
    add_version(3, reference(30, 1), root, USN_FILE_DELETE, 0x20, "b.txt");
    struct usn_window window = {.bytes = slice_of(bytes, used), .last = true};
    assert_int_equal(step(&window, &record), USN_RECORD);
    assert_int_equal(record.version, 3);
    assert_true(record.parent.low == root && record.parent.high == 0);
    assert_int_equal(record.name.size, 10);
}

static void add_version_4(uint64_t file, uint64_t parent)
{
    put(80, 4);
    put(4, 2);
    put(0, 2);
    put(file, 8);
    put(0, 8);
    put(parent, 8);
    put(0, 8);
    put(used, 8);
    put(1, 4); /* DATA_OVERWRITE */
    put(0, 8);
    put(1, 2);
    put(16, 2);
    put(0x4000, 8);
    put(0x1000, 8);
}

static void a_record_of_version_4_has_no_time_and_no_name(void **context)
{
    struct usn_record record;

    (void)context;
    add_version_4(reference(30, 1), root);
    struct usn_window window = {.bytes = slice_of(bytes, used), .last = true};
    assert_int_equal(step(&window, &record), USN_RECORD);
    assert_int_equal(record.version, 4);
    assert_false(instant_known(record.when));
    assert_int_equal(record.name.size, 0);
    assert_int_equal(record.reason, 1);
}

static void extents_must_fit(void **context)
{
    struct usn_record record;

    (void)context;
    add_version_4(reference(30, 1), root);
    put_u64(60, 500, 2);
    struct usn_window window = {.bytes = slice_of(bytes, used), .last = true};
    assert_int_equal(step(&window, &record), USN_DAMAGE);
}

static void a_name_must_fit(void **context)
{
    struct usn_record record;

    (void)context;
    add(reference(30, 1), root, USN_CLOSE, "a.txt");
    put_u64(56, 200, 2);
    struct usn_window window = {.bytes = slice_of(bytes, used), .last = true};
    assert_int_equal(step(&window, &record), USN_DAMAGE);
}

static void a_record_that_reaches_over_the_window_waits(void **context)
{
    struct usn_record record;

    (void)context;
    add(reference(30, 1), root, USN_CLOSE, "a.txt");
    const size_t second = add(reference(31, 1), root, USN_CLOSE, "b.txt");
    struct usn_window window = {.bytes = slice_of(bytes, used - 8)};
    assert_int_equal(step(&window, &record), USN_RECORD);
    assert_int_equal(step(&window, &record), USN_MORE);
    assert_int_equal(window.at, second);
}

static void words_name_all_reasons(void **context)
{
    struct buffer text = BUFFER_EMPTY;

    (void)context;
    usn_reason_append(&text, 0x80000102);
    assert_string_equal(buffer_text(&text), "DATA_EXTEND|FILE_CREATE|CLOSE");
    buffer_clear(&text);
    usn_reason_append(&text, 0x40000001);
    assert_string_equal(buffer_text(&text), "DATA_OVERWRITE|0x40000000");
    buffer_clear(&text);
    usn_source_append(&text, 6);
    assert_string_equal(buffer_text(&text), "AUXILIARY_DATA|REPLICATION_MANAGEMENT");
    buffer_release(&text);
}

/* ---- the journal ---- */

static void a_creation_is_told_once_as_such(void **context)
{
    (void)context;
    add(reference(30, 1), root, USN_FILE_CREATE, "x.aspx");
    add(reference(30, 1), root, USN_FILE_CREATE | 2, "x.aspx");
    add(reference(30, 1), root, USN_FILE_CREATE | 2 | USN_CLOSE, "x.aspx");
    assert_int_equal(parse(), 0);
    assert_int_equal(fake.event_count, 3);
    assert_null(fake.last.sources[0].category);
    assert_told("TargetFilename=C:\\x.aspx|FileName=x.aspx|Extension=.aspx|"
                "Reason=DATA_EXTEND|FILE_CREATE|CLOSE");
}

static void reasons_start_anew_behind_a_close(void **context)
{
    (void)context;
    add(reference(30, 1), root, USN_FILE_CREATE | USN_CLOSE, "x.aspx");
    add(reference(30, 1), root, USN_FILE_DELETE | USN_CLOSE, "x.aspx");
    assert_int_equal(parse(), 0);
    assert_string_equal(fake.last.sources[0].category, "file_delete");
    assert_string_equal(fake.last.sources[0].service, "usnjournal");
}

static void a_rename_tells_the_old_path(void **context)
{
    (void)context;
    add_folder(reference(40, 2), root, USN_FILE_CREATE | USN_CLOSE, "dir");
    add(reference(30, 1), reference(40, 2), USN_RENAME_OLD_NAME, "x.txt");
    add(reference(30, 1), root, USN_RENAME_NEW_NAME, "x.aspx");
    assert_int_equal(parse(), 0);
    assert_string_equal(fake.last.sources[0].category, "file_rename");
    assert_told("TargetFilename=C:\\x.aspx");
    assert_told("SourceFilename=C:\\dir\\x.txt");
}

static void a_renamed_folder_has_its_old_name_before(void **context)
{
    (void)context;
    add(reference(30, 1), reference(40, 2), USN_FILE_CREATE | USN_CLOSE, "first");
    add_folder(reference(40, 2), root, USN_RENAME_OLD_NAME, "before");
    add_folder(reference(40, 2), root, USN_RENAME_NEW_NAME, "after");
    add(reference(31, 1), reference(40, 2), USN_FILE_CREATE | USN_CLOSE, "second");
    assert_int_equal(parse(), 0);
    assert_told("TargetFilename=C:\\before\\first|");
    assert_told("TargetFilename=C:\\after\\second|");
}

static bool mft(uint64_t wanted, struct buffer *name, uint64_t *parent)
{
    if (wanted != reference(50, 3))
        return false;
    buffer_add_text(name, "inetpub");
    *parent = root;
    return true;
}

static void folders_that_the_journal_does_not_name_come_from_the_mft(void **context)
{
    (void)context;
    add_folder(reference(40, 2), reference(50, 3), USN_FILE_CREATE | USN_CLOSE, "wwwroot");
    add(reference(30, 1), reference(40, 2), USN_FILE_CREATE | USN_CLOSE, "a");
    add(reference(31, 1), reference(50, 4), USN_FILE_CREATE | USN_CLOSE, "b");
    init();
    fake.name_of = mft;
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_told("TargetFilename=C:\\inetpub\\wwwroot\\a|");
    assert_told("TargetFilename=C:\\$Orphan\\entry-50-4\\b|");
}

static void folders_in_a_circle_end(void **context)
{
    (void)context;
    add_folder(reference(40, 2), reference(41, 2), USN_CLOSE, "a");
    add_folder(reference(41, 2), reference(40, 2), USN_CLOSE, "b");
    add(reference(30, 1), reference(40, 2), USN_CLOSE, "file");
    assert_int_equal(parse(), 0);
    assert_int_equal(fake.event_count, 3);
    assert_told("C:\\$Orphan\\");
}

static void an_entry_used_again_is_another_folder(void **context)
{
    (void)context;
    add_folder(reference(40, 2), root, USN_FILE_DELETE | USN_CLOSE, "old");
    add_folder(reference(40, 3), root, USN_FILE_CREATE | USN_CLOSE, "new");
    add(reference(30, 1), reference(40, 2), USN_CLOSE, "a");
    add(reference(31, 1), reference(40, 3), USN_CLOSE, "b");
    assert_int_equal(parse(), 0);
    assert_told("C:\\old\\a|");
    assert_told("C:\\new\\b|");
}

static void separators_in_a_name_do_not_make_folders(void **context)
{
    (void)context;
    add(reference(30, 1), root, USN_CLOSE, "a\\b/c\nd");
    assert_int_equal(parse(), 0);
    assert_told("TargetFilename=C:\\a\xEF\xBF\xBD"
                "b\xEF\xBF\xBD"
                "c\xEF\xBF\xBD"
                "d|");
}

static void damage_is_passed_over_and_counted_once(void **context)
{
    (void)context;
    add(reference(30, 1), root, USN_CLOSE, "first");
    const size_t at = add(reference(31, 1), root, USN_CLOSE, "second");
    add(reference(32, 1), root, USN_CLOSE, "third");
    memset(bytes + at, 0xA5, 40);
    assert_int_equal(parse(), 0);
    assert_int_equal(fake.event_count, 2);
    assert_told("C:\\third|");
    assert_int_equal(fake.tally.records, 3);
    assert_int_equal(fake.tally.used, 2);
    assert_int_equal(fake.tally.rejected, 1);
    assert_int_equal(fake.notice_count, 1);
}

static void a_record_cut_at_the_end_is_rejected(void **context)
{
    (void)context;
    add(reference(30, 1), root, USN_CLOSE, "first");
    add(reference(31, 1), root, USN_CLOSE, "second");
    used -= 16;
    assert_int_equal(parse(), 0);
    assert_int_equal(fake.tally.used, 1);
    assert_int_equal(fake.tally.rejected, 1);
}

static void the_sparse_head_is_not_read(void **context)
{
    (void)context;
    used = 3 << 20;
    add(reference(30, 1), root, USN_CLOSE, "behind");
    init();
    fake.hole_to = 3 << 20;
    fake.damage_to = 3 << 20; /* reading there fails */
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_int_equal(fake.event_count, 1);
    assert_int_equal(fake.last.offset, 3 << 20);
    assert_int_equal(fake.notice_count, 0);
}

static void records_on_both_sides_of_a_window_are_all_there(void **context)
{
    size_t count = 0;

    (void)context;
    while (used < (2 << 20) + 500) {
        add(reference(30 + count, 1), root, USN_FILE_CREATE, "some name");
        count++;
    }
    assert_int_equal(parse(), 0);
    assert_int_equal(fake.event_count, count);
    assert_int_equal(fake.tally.used, count);
    assert_int_equal(fake.tally.rejected, 0);
}

static void bytes_that_cannot_be_read_cost_only_themselves(void **context)
{
    (void)context;
    add(reference(30, 1), root, USN_CLOSE, "first");
    used = 1 << 20;
    add(reference(31, 1), root, USN_CLOSE, "last");
    init();
    fake.damage_from = 100000;
    fake.damage_to = 110000;
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_told("C:\\first|");
    assert_told("C:\\last|");
    assert_int_equal(fake.tally.rejected, 1);
}

static void an_unreadable_journal_is_an_error(void **context)
{
    (void)context;
    used = PAGE;
    init();
    fake.damage_to = PAGE;
    assert_int_equal(fake.job.artifact->parse(&fake.job), -1);
}

static void only_what_the_prefilter_nominates_is_told(void **context)
{
    (void)context;
    add(reference(30, 1), root, USN_CLOSE, "plain.log");
    add(reference(31, 1), root, USN_CLOSE, "shell.aspx");
    add(reference(32, 1), root, USN_CLOSE, "plain.txt");
    init();
    fake.needle = "shell.aspx";
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_int_equal(fake.event_count, 1);
    assert_told("C:\\shell.aspx");
    assert_false(is_told("plain"));
    assert_int_equal(fake.tally.used, 3);
}

static void version_4_is_told_by_the_name_of_its_file(void **context)
{
    (void)context;
    add_version_4(reference(50, 3), root);
    init();
    fake.name_of = mft;
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_told("TargetFilename=C:\\inetpub|FileName=inetpub|");
    assert_int_equal(fake.last.basis, BASIS_UNKNOWN);
}

static void a_journal_is_recognised_by_its_content(void **context)
{
    const struct artifact *artifact = artifact_by_name("usn_journal");

    (void)context;
    add(reference(30, 1), root, USN_CLOSE, "first");
    assert_true(artifact->recognise(slice_of(bytes, used), "whatever"));
    assert_false(artifact->recognise(SLICE_LITERAL("#Software: Microsoft IIS\r\n"), "$J"));
    assert_true(artifact->recognise(slice_of(bytes + used, 8192), "$J"));
    assert_false(artifact->recognise(slice_of(bytes + used, 8192), "zeroes"));
}

/* No crash, an end, and sums that fit, whatever the bytes are. */
static void broken_journals_do_no_harm(void **context)
{
    uint32_t seed = 12345;

    (void)context;
    for (unsigned round = 0; round < 3000; round++) {
        used = 0;
        add_folder(reference(40, 2), root, USN_CLOSE, "dir");
        add(reference(30, 1), reference(40, 2), USN_RENAME_OLD_NAME, "x.txt");
        add_version(3, reference(30, 1), root, USN_RENAME_NEW_NAME, 0x20, "x.aspx");
        add_version_4(reference(30, 1), root);
        add(reference(31, 1), reference(40, 2), USN_FILE_DELETE | USN_CLOSE, "y.txt");
        for (unsigned i = 0; i < 1 + round % 6; i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[(seed >> 8) % used] = (uint8_t)(seed >> 24);
        }
        used -= round % 9;
        init();
        fake.job.artifact->parse(&fake.job);
        assert_int_equal(fake.tally.records, fake.tally.used + fake.tally.rejected);
        assert_int_equal(fake.event_count, fake.tally.used);
        fake_job_release(&fake);
    }
    init();
}

/* The numbers are those of the journals themselves, counted by hand. */
static void samples_are_read_whole(void **context)
{
    static const struct {
        const char *path;
        size_t records;
    } samples[] = {{"ntfs-meta/plaso/UsnJrnl.raw", 19}, {"ntfs-meta/ez-mft/Usn/record.usn", 1}};
    const char *folder = getenv("EXTRIAGE_DATA");
    char path[4096];

    (void)context;
    init();
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        snprintf(path, sizeof path, "%s/%s", folder ? folder : "", samples[i].path);
        FILE *file = fopen(path, "rb");
        if (!file)
            skip();
        used = fread(bytes, 1, ROOM, file);
        fclose(file);
        fake_job_release(&fake);
        assert_int_equal(parse(), 0);
        assert_int_equal(fake.tally.used, samples[i].records);
        assert_int_equal(fake.tally.rejected, 0);
    }
}

static void a_deleted_log_is_a_fact_whatever_is_nominated(void **context)
{
    (void)context;
    add_folder(reference(30, 1), root, USN_FILE_CREATE, "LogFiles");
    put_u64(add(reference(31, 1), reference(30, 1), USN_FILE_DELETE | USN_CLOSE, "u_ex210301.log") +
                32,
            day + 1, 8);
    add(reference(32, 1), reference(30, 1), USN_FILE_DELETE | USN_CLOSE, "a.txt");
    init();
    fake.needle = NULL;
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_int_equal(fake.event_count, 1);
    assert_int_equal(fake.last.kind, KIND_file_deleted_log);
    assert_int_equal(fake.last.marks, EVENT_FACT);
    assert_told("LogAge=2");
}

static void ages_of_logs_are_counted_from_the_day_in_their_names(void **context)
{
    const struct instant when = {(int64_t)day + 1}; /* 2021-03-03 */

    (void)context;
    init();
    assert_int_equal(log_age_days(slice_of_text("u_ex210301.log"), when), 2);
    assert_int_equal(log_age_days(slice_of_text("u_ex21030123_x.log"), when), 2);
    assert_int_equal(log_age_days(slice_of_text("HttpProxy_2021020304-1.LOG"), when), 28);
    assert_int_equal(log_age_days(slice_of_text("MSGTRK2021030304-1.LOG"), when), 0);
    assert_int_equal(log_age_days(slice_of_text("u_ex210304.log"), when), -1);
    assert_int_equal(log_age_days(slice_of_text("u_ex219901.log"), when), -1);
    assert_int_equal(log_age_days(slice_of_text("httperr1.log"), when), -1);
}

static void the_state_of_the_journal_is_a_fact(void **context)
{
    (void)context;
    put(32 << 20, 8);
    put(8 << 20, 8);
    put(day, 8);
    put(4096, 8);
    fake_job_init(&fake, "usn_max", "$Extend/$UsnJrnl:$Max", slice_of(bytes, used), "");
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_told("MaximumSize=33554432|LowestValidUsn=4096");
    assert_int_equal(fake.last.when.ticks, day);
}

static void a_short_state_is_rejected(void **context)
{
    (void)context;
    put(32 << 20, 8);
    fake_job_init(&fake, "usn_max", "$Extend/$UsnJrnl:$Max", slice_of(bytes, used), "");
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_int_equal(fake.tally.rejected, 1);
}

/* ---- carving ---- */

static void carve(const char *path, unsigned flags)
{
    fake_job_init(&fake, "usn_carve", path, slice_of(bytes, used), "");
    host.drives = &drive;
    host.drive_count = 1;
    fake.job.host = &host;
    fake.file.flags = flags;
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
}

static void records_are_found_in_free_space(void **context)
{
    (void)context;
    memset(bytes, 0xA5, 3 * PAGE);
    used = PAGE + 256;
    add(reference(30, 1), root, USN_FILE_CREATE, "shell.aspx");
    add_version(3, reference(31, 1), root, USN_FILE_DELETE | USN_CLOSE, 32, "Security.evtx");
    used = 3 * PAGE;
    carve("$Unallocated", FILE_UNALLOCATED);
    assert_int_equal(fake.tally.used, 2);
    assert_told("FileName=shell.aspx");
    assert_told("FileName=Security.evtx");
    assert_int_equal(fake.last.marks, EVENT_RECOVERED);
    assert_int_equal(fake.job.size, 3 * PAGE);
}

static void what_only_looks_like_a_record_is_not_carved(void **context)
{
    (void)context;
    add(reference(30, 1), root, USN_FILE_CREATE, "a.txt");
    put_u64(32, 5, 8); /* a time of 1601 */
    const size_t second = add(reference(30, 0), root, USN_FILE_CREATE, "b.txt");
    const size_t third = add(reference(30, 1), root, 0x08, "c.txt");
    add(reference(30, 1), root, USN_FILE_CREATE, "d?.txt");
    carve("$Unallocated", FILE_UNALLOCATED);
    assert_true(second < third);
    assert_int_equal(fake.tally.records, 0);
}

static void what_the_journal_still_holds_is_not_told_again(void **context)
{
    static uint8_t journal[PAGE];

    (void)context;
    const size_t first = add(reference(30, 1), root, USN_FILE_CREATE, "live.txt");
    const size_t second = add(reference(31, 1), root, USN_FILE_CREATE, "gone.txt");
    memcpy(journal + first, bytes + first, second - first);
    fake_job_init(&fake, "usn_carve", "$Unallocated", slice_of(bytes, used), "");
    fake.file.flags = FILE_UNALLOCATED;
    fake.others[0] = (struct fake_other){"$Extend/$UsnJrnl:$J", ""};
    fake.other_count = 1;
    fake.peeked = slice_of(journal, sizeof journal);
    fake.job.host = &host;
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    assert_int_equal(fake.tally.records, 1);
    assert_told("FileName=gone.txt");
    assert_int_equal(fake.notice_count, 1);
}

/* Makes pages of $LogFile of what was added: 64 bytes of header, then 4,032 of content. */
static void make_log(void)
{
    static uint8_t content[4 * PAGE];
    const size_t pages = (used + PAGE - 64 - 1) / (PAGE - 64);

    memcpy(content, bytes, used);
    memset(content + used, 0, sizeof content - used);
    for (size_t page = 0; page < pages; page++) {
        uint8_t *start = bytes + page * PAGE;
        memset(start, 0, 64);
        memcpy(start, "RCRD", 4);
        start[4] = 40;
        start[6] = 9;
        memcpy(start + 64, content + page * (PAGE - 64), PAGE - 64);
        memset(start + 40, 0x5A, 2);
        for (size_t i = 1; i <= 8; i++) {
            memcpy(start + 40 + 2 * i, start + 512 * i - 2, 2);
            memset(start + 512 * i - 2, 0x5A, 2);
        }
    }
    used = pages * PAGE;
}

static void records_in_the_log_cross_sectors_and_pages(void **context)
{
    char name[32];

    (void)context;
    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "file%u.aspx", i);
        add(reference(30 + i, 1), root, USN_FILE_CREATE, name);
    }
    make_log();
    assert_true(used > 2 * PAGE);
    carve("$LogFile", 0);
    assert_int_equal(fake.tally.used, 100);
    assert_told("FileName=file99.aspx");
    assert_int_equal(fake.job.size, used);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_record_of_version_2_is_read),
        TEST(a_record_of_version_3_is_read),
        TEST(a_record_of_version_4_has_no_time_and_no_name),
        TEST(extents_must_fit),
        TEST(a_name_must_fit),
        TEST(a_record_that_reaches_over_the_window_waits),
        TEST(words_name_all_reasons),
        TEST(a_creation_is_told_once_as_such),
        TEST(reasons_start_anew_behind_a_close),
        TEST(a_rename_tells_the_old_path),
        TEST(a_renamed_folder_has_its_old_name_before),
        TEST(folders_that_the_journal_does_not_name_come_from_the_mft),
        TEST(folders_in_a_circle_end),
        TEST(an_entry_used_again_is_another_folder),
        TEST(separators_in_a_name_do_not_make_folders),
        TEST(damage_is_passed_over_and_counted_once),
        TEST(a_record_cut_at_the_end_is_rejected),
        TEST(the_sparse_head_is_not_read),
        TEST(records_on_both_sides_of_a_window_are_all_there),
        TEST(bytes_that_cannot_be_read_cost_only_themselves),
        TEST(an_unreadable_journal_is_an_error),
        TEST(only_what_the_prefilter_nominates_is_told),
        TEST(version_4_is_told_by_the_name_of_its_file),
        TEST(a_journal_is_recognised_by_its_content),
        TEST(broken_journals_do_no_harm),
        TEST(a_deleted_log_is_a_fact_whatever_is_nominated),
        TEST(ages_of_logs_are_counted_from_the_day_in_their_names),
        TEST(the_state_of_the_journal_is_a_fact),
        TEST(a_short_state_is_rejected),
        TEST(records_are_found_in_free_space),
        TEST(what_only_looks_like_a_record_is_not_carved),
        TEST(what_the_journal_still_holds_is_not_told_again),
        TEST(records_in_the_log_cross_sectors_and_pages),
        TEST(samples_are_read_whole),
    };

    return cmocka_run_group_tests_name("usn", tests, NULL, NULL);
}
