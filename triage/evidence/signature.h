/* Which container a file is, told by its first and last bytes, never by its name. */
#ifndef TRIAGE_EVIDENCE_SIGNATURE_H
#define TRIAGE_EVIDENCE_SIGNATURE_H

enum signature {
    SIGNATURE_NONE, /* no container is known: raw bytes of a medium */
    SIGNATURE_EWF,
    SIGNATURE_VHD,
    SIGNATURE_VHDX,
    SIGNATURE_VMDK
};

/*
 * -1 with a sentence in error_text when the file is missing, empty or unreadable, or is of a kind
 * that cannot be read: the sentence names the format and what to do. Checked before anything is
 * guessed, for libtsk takes QCOW2, VDI and seSparse VMDK for raw.
 */
int signature_detect(const char *path, enum signature *signature);

#endif
