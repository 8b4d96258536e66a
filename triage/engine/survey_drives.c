/*
 * Drive letters. A value "\DosDevices\D:" of the key MountedDevices holds the disk signature and
 * byte offset of an MBR partition, or "DMIO:ID:" and the unique GUID of a GPT partition, or the
 * name of a device that cannot be on a disk image.
 */
#include "triage/engine/survey_parts.h"

#include "triage/base/guid.h"

#include <stdio.h>
#include <string.h>

enum { MBR_SIZE = 12, LETTER_NAME_SIZE = 14, DEVICE_SIZE_MOST = 1024 };

static const char letter_prefix[] = "\\DosDevices\\";

static bool is_partition(const struct volume *volume, struct slice data)
{
    char guid[GUID_TEXT_SIZE];
    struct cursor c = cursor_over(data, 0);

    if (data.size == MBR_SIZE) {
        const uint32_t signature = cursor_u32le(&c);
        const uint64_t offset = cursor_u64le(&c);
        return volume->disk_signature && volume->disk_signature == signature &&
               volume->offset == offset;
    }
    if (!slice_starts(data, "DMIO:ID:") || data.size != 8 + GUID_SIZE)
        return false;
    guid_plain(slice_from(data, 8), guid);
    return slice_is_nocase(slice_of_text(guid), volume->partition_guid);
}

/* What the value says, in words. */
static const char *describe(struct survey *survey, struct slice data)
{
    char guid[GUID_TEXT_SIZE];
    struct cursor c = cursor_over(data, 0);

    if (data.size == MBR_SIZE) {
        const uint32_t signature = cursor_u32le(&c);
        return survey_text(survey, "MBR signature %08x, offset %llu", signature,
                           (unsigned long long)cursor_u64le(&c));
    }
    if (slice_starts(data, "DMIO:ID:") && data.size == 8 + GUID_SIZE) {
        guid_plain(slice_from(data, 8), guid);
        return survey_text(survey, "GPT partition %s", guid);
    }
    return "a device that is no partition";
}

static bool is_named(const struct host *host, char letter)
{
    for (size_t i = 0; i < host->drive_count; i++)
        if (host->drives[i].letter == letter)
            return true;
    return false;
}

static void match_drive(struct survey *survey, char letter, struct slice data, const char *source)
{
    const char *what = describe(survey, data);

    for (uint32_t i = 0; i < evidence_volume_count(survey->evidence); i++) {
        if (is_partition(evidence_volume(survey->evidence, i), data)) {
            survey_add_drive(survey, letter, i, (struct fact){what, source, false});
            return;
        }
    }
    if (is_named(survey->host, letter))
        return;
    survey_more(survey, survey_text(survey, "drive %c: (no volume of the evidence)", letter),
                (struct fact){what, source, false});
}

static void read_mounted_devices(struct survey *survey)
{
    struct hive *hive = survey->system.hive;
    struct hive_value value;
    struct hive_key key;

    if (!hive || !hive_find(hive, NULL, "MountedDevices", &key))
        return;
    struct hive_values values = hive_values(hive, &key);
    for (size_t i = 0; i < SURVEY_VALUES && hive_next_value(&values, &value); i++) {
        const char *name = survey_name(survey, value.name);
        if (!name || strlen(name) != LETTER_NAME_SIZE ||
            !slice_starts_nocase(slice_of_text(name), letter_prefix) ||
            name[LETTER_NAME_SIZE - 1] != ':' || value.data_size > DEVICE_SIZE_MOST)
            continue;
        const char *source =
            survey_text(survey, "%s: MountedDevices\\%s", survey->system.path, name);
        match_drive(survey, name[LETTER_NAME_SIZE - 2], hive_data(hive, &value, survey->arena),
                    source);
    }
}

void survey_drives(struct survey *survey)
{
    for (uint32_t i = 0; i < evidence_volume_count(survey->evidence); i++) {
        const char hint = evidence_volume(survey->evidence, i)->drive_hint;
        if (hint)
            survey_add_drive(survey, hint, i,
                             (struct fact){NULL, "the folder is named like a drive", false});
    }
    read_mounted_devices(survey);
}
