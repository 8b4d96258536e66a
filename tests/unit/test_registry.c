/* The registry artifact: what keys and values come to, which hive is which, what is made of known
 * keys. */
#include "tests/unit/artifact_case.h"
#include "tests/unit/hive_builder.h"
#include "triage/formats/hive_log.h"

#include <stdio.h>

static struct hive_builder *builder;

static int set_up(void **state)
{
    (void)state;
    builder = hive_builder_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_job_release(&fake);
    hive_builder_free(builder);
    return 0;
}

static void start(const char *path)
{
    size_t size;
    const uint8_t *bytes = hive_builder_bytes(builder, &size);

    start_job("registry_hive", path, slice_of(bytes, size), "");
}

static void run(const char *path)
{
    start(path);
    finish();
}

static size_t wide(uint8_t *out, const char *text)
{
    size_t size = 0;

    for (; *text; text++) {
        out[size++] = (uint8_t)*text;
        out[size++] = 0;
    }
    return size;
}

static void put(uint8_t *at, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(number >> 8 * i);
}

/* 2021-03-03 10:15:19 UTC as FILETIME. */
static const uint64_t MARCH = UINT64_C(132592401190000000);
#define MARCH_TEXT "2021-03-03T10:15:19.000000+00:00"

/* --- keys and values --- */

static void make_system(void)
{
    hive_builder_number(builder, "Select", "Current", 1);
}

static void values_are_worded_as_sysmon_words_them(void **state)
{
    const uint8_t long_number[8] = {1, 0, 0, 0, 2}, binary[] = {1, 2, 3, 4, 5};

    (void)state;
    hive_builder_text(builder, "Microsoft\\Windows NT\\X", "", "default");
    hive_builder_number(builder, "Microsoft\\Windows NT\\X", "Number", 0x1A);
    hive_builder_set(builder, "Microsoft\\Windows NT\\X", "Long", 11, long_number, 8);
    hive_builder_set(builder, "Microsoft\\Windows NT\\X", "Bytes", 3, binary, sizeof binary);
    hive_builder_set(builder, "Microsoft\\Windows NT\\X", "Many", 7, "a\0\0\0b\0\0\0\0\0", 10);
    run("Windows/System32/config/SOFTWARE");
    assert_told("|TargetObject=HKLM\\SOFTWARE\\Microsoft\\Windows NT\\X\\(Default)|Details=default|"
                "EventType=SetValue|");
    assert_told("X\\Number|Details=DWORD (0x0000001a)|");
    assert_told("X\\Long|Details=QWORD (0x00000002-0x00000001)|");
    assert_told("X\\Bytes|Details=Binary Data|");
    assert_told("X\\Many|Details=a, b|");
    assert_told("|raw=HKLM\\SOFTWARE\\Microsoft\\Windows NT\\X\\Number = DWORD (0x0000001a)\n");
    assert_told("|registry.key|0|1|2021-03-02T12:00:00.000000+00:00|"
                "TargetObject=HKLM\\SOFTWARE\\Microsoft\\Windows NT\\X|EventType=CreateKey|");
}

static void every_key_and_value_is_a_record(void **state)
{
    (void)state;
    hive_builder_number(builder, "Software\\Microsoft", "a", 1);
    hive_builder_number(builder, "Software\\Microsoft", "b", 1);
    run("Users/anna/NTUSER.DAT");
    assert_int_equal(fake.tally.records, 5); /* ROOT, Software, Microsoft, two values */
    assert_int_equal(fake.event_count, 5);
    assert_told("|TargetObject=HKU\\anna\\Software\\Microsoft\\a|");
    assert_int_equal(fake.tally.day_count, 0);
    assert_true(instant_known(fake.tally.first));
}

static void the_current_control_set_is_called_so(void **state)
{
    (void)state;
    make_system();
    hive_builder_number(builder, "ControlSet001\\Control\\Lsa", "x", 1);
    hive_builder_number(builder, "ControlSet002\\Control\\Lsa", "x", 1);
    hive_builder_number(builder, "ControlSet0012\\Control", "x", 1);
    run("SYSTEM");
    assert_told("=HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa\\x|");
    assert_told("=HKLM\\SYSTEM\\ControlSet002\\Control\\Lsa\\x|");
    assert_told("=HKLM\\SYSTEM\\ControlSet0012\\Control\\x|");
}

static void text_within_binary_data_can_be_searched(void **state)
{
    uint8_t blob[100] = {0};

    (void)state;
    memcpy(blob + 3, "<script runat", 13);
    wide(blob + 41, "pageload(");
    hive_builder_set(builder, "Microsoft\\Windows\\SystemCertificates", "Blob", 3, blob,
                     sizeof blob);
    run("SOFTWARE");
    assert_told("|DataText=<script runat pageload(|");
    assert_told("Blob = Binary Data : <script runat pageload(\n");
}

static void what_lies_behind_the_end_of_a_text_is_shown(void **state)
{
    uint8_t data[64] = {0};

    (void)state;
    wide(data, "seen");
    wide(data + 10, "hidden part");
    hive_builder_set(builder, "Software\\Microsoft", "v", 1, data, 32);
    run("NTUSER.DAT");
    assert_told("\\v|Details=seen|EventType=SetValue|DataText=hidden part|");
}

/* --- themes --- */

static void a_service_tells_its_program_and_library(void **state)
{
    (void)state;
    make_system();
    hive_builder_text(builder, "ControlSet001\\Services\\upd", "ImagePath", "svchost.exe -k n");
    hive_builder_text(builder, "ControlSet001\\Services\\upd", "ObjectName", "LocalSystem");
    hive_builder_number(builder, "ControlSet001\\Services\\upd", "Type", 0x20);
    hive_builder_number(builder, "ControlSet001\\Services\\upd", "Start", 2);
    hive_builder_text(builder, "ControlSet001\\Services\\upd\\Parameters", "ServiceDll",
                      "C:\\n.dll");
    run("SYSTEM");
    assert_told("|registry.service|0|1|2021-03-02T12:00:00.000000+00:00|"
                "TargetObject=HKLM\\SYSTEM\\CurrentControlSet\\Services\\upd|ServiceName=upd|"
                "ImagePath=svchost.exe -k n|ServiceDll=C:\\n.dll|ServiceType=user mode service|"
                "StartType=auto start|AccountName=LocalSystem|@ObjectName=LocalSystem|");
}

#define CACHE "Microsoft\\Windows NT\\CurrentVersion\\Schedule\\TaskCache\\"

/* Version 3, author's context, one command with arguments. */
static size_t make_actions(uint8_t *out)
{
    size_t at = 2;

    put(out, 3, 2);
    put(out + at, 12, 4);
    at += 4 + wide(out + at + 4, "Author");
    put(out + at, 0x6666, 2);
    put(out + at + 2, 0, 4);
    at += 6;
    put(out + at, 14, 4);
    at += 4 + wide(out + at + 4, "cmd.exe");
    put(out + at, 8, 4);
    at += 4 + wide(out + at + 4, "/c x");
    put(out + at, 0, 4);
    put(out + at + 4, 0, 2);
    return at + 6;
}

static void a_task_without_security_descriptor_is_told(void **state)
{
    uint8_t actions[128], times[28] = {3};

    (void)state;
    put(times + 4, MARCH, 8);
    hive_builder_text(builder, CACHE "Tree\\Sub\\Evil", "Id", "{A}");
    hive_builder_text(builder, CACHE "Tree\\Good", "Id", "{B}");
    hive_builder_set(builder, CACHE "Tree\\Good", "SD", 3, times, 28);
    hive_builder_set(builder, CACHE "Tasks\\{A}", "Actions", 3, actions, make_actions(actions));
    hive_builder_set(builder, CACHE "Tasks\\{A}", "DynamicInfo", 3, times, 28);
    hive_builder_text(builder, CACHE "Tasks\\{A}", "Path", "\\Sub\\Evil");
    hive_builder_text(builder, CACHE "Tasks\\{C}", "Path", "\\Hidden");
    run("SOFTWARE");
    assert_told("|TaskName=\\Sub\\Evil|TaskId={A}|SecurityDescriptor=missing|Command=cmd.exe /c x|"
                "TaskCreated=" MARCH_TEXT "|");
    assert_told("|TaskName=\\Good|TaskId={B}|SecurityDescriptor=present|"
                "TaskState=no entry below Tasks|");
    assert_told("|TaskName=\\Hidden|TaskId={C}|TaskState=no entry below Tree|");
}

static void products_and_exchange_updates_are_told(void **state)
{
    (void)state;
    hive_builder_text(builder, "Microsoft\\Windows\\CurrentVersion\\Uninstall\\{1}", "DisplayName",
                      "AnyDesk");
    hive_builder_text(builder, "Microsoft\\Updates\\Exchange 2016\\SP1\\KB5000871", "PackageName",
                      "KB5000871");
    hive_builder_text(builder, "Microsoft\\Updates\\Office\\SP1\\KB1", "PackageName", "KB1");
    run("SOFTWARE");
    assert_told("|registry.product|");
    assert_told("|Product=AnyDesk|");
    assert_told("|Product=KB5000871|");
    assert_not_told("|Product=KB1|");
}

/* --- programs --- */

static size_t make_entry(uint8_t *out, bool old)
{
    const size_t path_size = wide(out + 14, "C:\\a.exe");
    size_t at = 14 + path_size;

    memcpy(out, "10ts", 4);
    put(out + 12, path_size, 2);
    if (old) {
        put(out + at, 0, 2);
        put(out + at + 2, 2, 4);
        put(out + at + 6, 0, 4);
        at += 10;
    }
    put(out + at, MARCH, 8);
    put(out + at + 8, 0, 4);
    put(out + 8, at + 12 - 12, 4);
    return at + 12;
}

#define SHIM "ControlSet001\\Control\\Session Manager\\AppCompatCache"

static void the_shim_cache_of_windows_10_is_read(void **state)
{
    uint8_t cache[256] = {0x34};

    (void)state;
    make_system();
    hive_builder_set(builder, SHIM, "AppCompatCache", 3, cache,
                     0x34 + make_entry(cache + 0x34, false));
    run("SYSTEM");
    assert_told("|registry.shimcache|0|1|" MARCH_TEXT "|");
    assert_told("|ProgramPath=C:\\a.exe|Position=0|raw=");
}

static void the_shim_cache_of_server_2012_r2_is_read(void **state)
{
    uint8_t cache[256] = {0x80};

    (void)state;
    make_system();
    hive_builder_set(builder, SHIM, "AppCompatCache", 3, cache,
                     0x80 + make_entry(cache + 0x80, true));
    run("SYSTEM");
    assert_told("|registry.shimcache|0|1|" MARCH_TEXT "|");
    assert_told("|ProgramPath=C:\\a.exe|Position=0|Executed=true|");
}

static void the_shim_cache_of_server_2008_r2_is_read(void **state)
{
    uint8_t cache[256] = {0xEE, 0x0F, 0xDC, 0xBA, 1};

    (void)state;
    put(cache + 0x80, wide(cache + 0x80 + 48, "C:\\b.exe"), 2);
    put(cache + 0x88, 0x80 + 48, 8);
    put(cache + 0x90, MARCH, 8);
    make_system();
    hive_builder_set(builder, SHIM, "AppCompatCache", 3, cache, 0x80 + 48 + 16);
    run("SYSTEM");
    assert_told("|registry.shimcache|0|1|" MARCH_TEXT "|");
    assert_told("|ProgramPath=C:\\b.exe|Position=0|Executed=false|");
}

static void an_unknown_shim_cache_is_noticed(void **state)
{
    (void)state;
    make_system();
    hive_builder_set(builder, SHIM, "AppCompatCache", 3, "\x11\x22\x33\x44\x55", 5);
    run("SYSTEM");
    assert_noticed("AppCompatCache is empty or in a format that is not known");
}

static void background_activity_has_the_time_of_the_last_run(void **state)
{
    uint8_t data[24] = {0};

    (void)state;
    put(data, MARCH, 8);
    make_system();
    hive_builder_set(builder, "ControlSet001\\Services\\bam\\State\\UserSettings\\S-1-5-18",
                     "\\Device\\HarddiskVolume2\\a.exe", 3, data, sizeof data);
    run("SYSTEM");
    assert_told("|registry.run|0|1|" MARCH_TEXT "|");
    assert_told("|ProgramPath=\\Device\\HarddiskVolume2\\a.exe|User=S-1-5-18|");
}

static void user_assist_names_are_turned_back(void **state)
{
    uint8_t data[72] = {0};

    (void)state;
    put(data + 4, 3, 4);
    put(data + 60, MARCH, 8);
    hive_builder_set(
        builder, "Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\UserAssist\\{C}\\Count",
        "P:\\zvzv.rkr", 3, data, sizeof data);
    run("NTUSER.DAT");
    assert_told("|registry.run|0|1|" MARCH_TEXT "|");
    assert_told("|ProgramPath=C:\\mimi.exe|RunCount=3|");
}

static void amcache_tells_path_and_digest(void **state)
{
    (void)state;
    hive_builder_text(builder, "Root\\InventoryApplicationFile\\a.exe|1", "LowerCaseLongPath",
                      "c:\\a.exe");
    hive_builder_text(builder, "Root\\InventoryApplicationFile\\a.exe|1", "FileId",
                      "0000da39a3ee5e6b4b0d3255bfef95601890afd80709");
    hive_builder_text(builder, "Root\\File\\{v}\\1", "15", "C:\\old.exe");
    run("Amcache.hve");
    assert_told("|ProgramPath=c:\\a.exe|SHA1=da39a3ee5e6b4b0d3255bfef95601890afd80709|");
    assert_told("|ProgramPath=C:\\old.exe|");
}

/* --- accounts --- */

static void make_account(uint32_t rid, const char *name)
{
    uint8_t f[80] = {0}, v[0xCC + 64] = {0};
    char path[64];
    const size_t size = wide(v + 0xCC, name);

    put(f + 8, MARCH, 8);
    put(f + 48, rid, 4);
    put(f + 56, 0x210, 2);
    put(f + 66, 9, 2);
    put(v + 0x10, size, 4);
    snprintf(path, sizeof path, "SAM\\Domains\\Account\\Users\\%08X", rid);
    hive_builder_set(builder, path, "F", 3, f, sizeof f);
    hive_builder_set(builder, path, "V", 3, v, 0xCC + size);
    snprintf(path, sizeof path, "SAM\\Domains\\Account\\Users\\Names\\%s", name);
    hive_builder_set(builder, path, "", rid, "", 0);
}

/* The group's "C" with one member: S-1-5-21-1-2-3-RID. */
static void make_administrators(uint32_t rid)
{
    uint8_t c[52 + 28] = {0}, domain[12] = {1, 0, 0, 0, 2, 0, 0, 0, 3};

    put(c + 40, 0, 4);
    put(c + 44, 28, 4);
    put(c + 48, 1, 4);
    c[52] = 1;
    c[53] = 5;
    c[59] = 5;
    put(c + 60, 21, 4);
    put(c + 64, 1, 4);
    put(c + 68, 2, 4);
    put(c + 72, 3, 4);
    put(c + 76, rid, 4);
    hive_builder_set(builder, "SAM\\Domains\\Builtin\\Aliases\\00000220", "C", 3, c, sizeof c);
    hive_builder_set(builder, "SAM\\Domains\\Account", "V", 3, domain, sizeof domain);
}

static void accounts_tell_creation_logon_and_group(void **state)
{
    (void)state;
    make_account(1001, "helper$");
    make_account(1002, "bob");
    make_administrators(1001);
    run("SAM");
    assert_told("|registry.account|0|1|2021-03-02T12:00:00.000000+00:00|");
    assert_told("|TargetUserName=helper$|Rid=1001|AccountFlags=user, password never expires|"
                "Administrator=true|RemoteDesktopUser=false|LogonCount=9|LastLogon=" MARCH_TEXT
                "|");
    assert_told("|TargetUserName=bob|Rid=1002|AccountFlags=user, password never expires|"
                "Administrator=false|");
    assert_told("|registry.logon|0|1|" MARCH_TEXT "|");
}

/* --- damage --- */

static void a_dirty_hive_without_logs_is_read_and_told(void **state)
{
    size_t size;

    (void)state;
    hive_builder_number(builder, "Software\\Microsoft", "a", 1);
    uint8_t *bytes = (uint8_t *)(uintptr_t)hive_builder_bytes(builder, &size);
    bytes[4]++;
    fake_job_init(&fake, "registry_hive", "NTUSER.DAT", slice_of(bytes, size), "");
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    buffer_text(&fake.notices);
    assert_noticed("the hive is dirty and no transaction log fits");
    assert_int_equal(fake.tally.records, 4);
}

static void seal(uint8_t *base_block)
{
    uint32_t sum = 0;

    memset(base_block + 508, 0, 4);
    for (size_t i = 0; i < 508; i++)
        sum ^= (uint32_t)base_block[i] << 8 * (i % 4);
    put(base_block + 508, sum, 4);
}

/* A log with one entry that holds the hive's first page, in which the bytes 11 11 11 11 became 22
 * 22 22 22. */
static size_t make_log(uint8_t *log, const uint8_t *hive)
{
    uint8_t *entry = log + 512, *page = entry + 48;
    const size_t size = 48 + 4096 + 464;

    memcpy(log, hive, 512);
    put(log + 4, 7, 4);
    put(log + 28, 6, 4);
    seal(log);
    memcpy(page, hive + 4096, 4096);
    for (size_t i = 0; i + 4 <= 4096; i++)
        if (memcmp(page + i, "\x11\x11\x11\x11", 4) == 0)
            memset(page + i, 0x22, 4);
    memcpy(entry, "HvLE", 4);
    put(entry + 4, size, 4);
    put(entry + 12, 7, 4);
    memcpy(entry + 16, hive + 40, 4);
    put(entry + 20, 1, 4);
    put(entry + 44, 4096, 4);
    put(entry + 24, hive_log_hash(slice_of(entry + 40, size - 40)), 8);
    put(entry + 32, hive_log_hash(slice_of(entry, 32)), 8);
    return 512 + size;
}

static void waiting_logs_are_applied_first(void **state)
{
    static uint8_t log[8192];
    size_t size;

    (void)state;
    hive_builder_number(builder, "Software\\Microsoft", "n", 0x11111111);
    uint8_t *bytes = (uint8_t *)(uintptr_t)hive_builder_bytes(builder, &size);
    put(bytes + 4, 8, 4);
    seal(bytes);
    fake_job_init(&fake, "registry_hive", "NTUSER.DAT", slice_of(bytes, size), "");
    fake.neighbours[1] = slice_of(log, make_log(log, bytes));
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    buffer_text(&fake.text);
    buffer_text(&fake.notices);
    assert_told("\\n|Details=DWORD (0x22222222)|");
    assert_noticed("1 entries of its transaction logs (sequence 7 to 7) were applied in memory");
}

static void a_read_error_costs_only_its_page(void **state)
{
    (void)state;
    hive_builder_number(builder, "Software\\Microsoft", "a", 1);
    for (unsigned i = 0; i < 30; i++) {
        char name[16];
        snprintf(name, sizeof name, "v%u", i);
        hive_builder_text(builder, "Software\\Microsoft\\Big", name,
                          "0123456789012345678901234567890123456789012345678901234567890123456789"
                          "0123456789012345678901234567890123456789012345678901234567890123456789");
    }
    start("NTUSER.DAT");
    fake.damage_from = 4096 + 4096;
    fake.damage_to = fake.damage_from + 10;
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    buffer_text(&fake.text);
    buffer_text(&fake.notices);
    assert_noticed("are damaged");
    assert_told("\\Microsoft\\a|Details=DWORD (0x00000001)|");
}

static void what_is_no_hive_is_an_error(void **state)
{
    static uint8_t bytes[8192] = "MZ";

    (void)state;
    fake_job_init(&fake, "registry_hive", "SYSTEM", slice_of(bytes, sizeof bytes), "");
    assert_int_equal(fake.job.artifact->parse(&fake.job), -1);
    assert_int_equal(fake.notice_count, 0);
}

static void logs_are_not_taken_for_hives(void **state)
{
    size_t size;

    (void)state;
    start("x");
    uint8_t *bytes = (uint8_t *)(uintptr_t)hive_builder_bytes(builder, &size);
    assert_true(fake.job.artifact->recognise(slice_of(bytes, size), "x"));
    bytes[28] = 6;
    assert_false(fake.job.artifact->recognise(slice_of(bytes, size), "x.LOG1"));
    assert_false(fake.job.artifact->recognise(SLICE_LITERAL("regf"), "x"));
}

static void put_cell(uint8_t *bytes, size_t size, const char *tag, size_t at, uint32_t number)
{
    for (size_t i = 4096 + 36; i + 24 < size; i += 8)
        if (memcmp(bytes + i, tag, 2) == 0)
            put(bytes + i + at, number, 4);
}

static void values_that_share_their_data_are_read_until_it_is_enough(void **state)
{
    static uint8_t data[12000];
    size_t size;

    (void)state;
    memset(data, 'a', sizeof data);
    for (unsigned i = 0; i < 8; i++) {
        char name[8];
        snprintf(name, sizeof name, "v%u", i);
        hive_builder_set(builder, "Software\\Microsoft", name, 3, i ? "12345" : (char *)data,
                         i ? 5 : sizeof data);
    }
    uint8_t *bytes = (uint8_t *)(uintptr_t)hive_builder_bytes(builder, &size);
    uint32_t first = 0;
    for (size_t i = 4096 + 36; !first && i + 24 < size; i += 8)
        if (memcmp(bytes + i, "vk", 2) == 0)
            memcpy(&first, bytes + i + 8, 4);
    put_cell(bytes, size, "vk", 8, first);
    put_cell(bytes, size, "vk", 4, sizeof data);
    fake_job_init(&fake, "registry_hive", "NTUSER.DAT", slice_of(bytes, size), "");
    assert_int_equal(fake.job.artifact->parse(&fake.job), 0);
    buffer_text(&fake.notices);
    assert_noticed("the values have more data than the hive");
    assert_int_equal(fake.tally.records, 11);
}

static void any_changed_byte_of_themed_keys_is_survived(void **state)
{
    uint8_t cache[256] = {0x80}, actions[128];
    size_t size;
    uint32_t random = 7;

    (void)state;
    make_system();
    make_account(1001, "a");
    make_administrators(1001);
    hive_builder_set(builder, SHIM, "AppCompatCache", 3, cache,
                     0x80 + make_entry(cache + 0x80, true));
    hive_builder_set(builder, CACHE "Tasks\\{A}", "Actions", 3, actions, make_actions(actions));
    hive_builder_text(builder, CACHE "Tasks\\{A}", "Path", "\\E");
    uint8_t *bytes = (uint8_t *)(uintptr_t)hive_builder_bytes(builder, &size);
    fake_job_init(&fake, "registry_hive", "x", slice_of(bytes, size), "");
    for (unsigned i = 0; i < 1500; i++) {
        random = random * 1664525 + 1013904223;
        uint8_t *byte = bytes + 4096 + (random >> 8) % (size - 4096), before = *byte;
        *byte = (uint8_t)(random >> 3);
        fake.event_count = 0;
        buffer_clear(&fake.text);
        arena_reset(fake.job.arena);
        fake.job.artifact->parse(&fake.job);
        *byte = before;
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(values_are_worded_as_sysmon_words_them),
        TEST(every_key_and_value_is_a_record),
        TEST(the_current_control_set_is_called_so),
        TEST(text_within_binary_data_can_be_searched),
        TEST(what_lies_behind_the_end_of_a_text_is_shown),
        TEST(a_service_tells_its_program_and_library),
        TEST(a_task_without_security_descriptor_is_told),
        TEST(products_and_exchange_updates_are_told),
        TEST(the_shim_cache_of_windows_10_is_read),
        TEST(the_shim_cache_of_server_2012_r2_is_read),
        TEST(the_shim_cache_of_server_2008_r2_is_read),
        TEST(an_unknown_shim_cache_is_noticed),
        TEST(background_activity_has_the_time_of_the_last_run),
        TEST(user_assist_names_are_turned_back),
        TEST(amcache_tells_path_and_digest),
        TEST(accounts_tell_creation_logon_and_group),
        TEST(a_dirty_hive_without_logs_is_read_and_told),
        TEST(waiting_logs_are_applied_first),
        TEST(a_read_error_costs_only_its_page),
        TEST(what_is_no_hive_is_an_error),
        TEST(logs_are_not_taken_for_hives),
        TEST(values_that_share_their_data_are_read_until_it_is_enough),
        TEST(any_changed_byte_of_themed_keys_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
