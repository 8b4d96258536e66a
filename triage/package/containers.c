/* The four functions by which libtsk opens E01, AFF, VHD and VMDK itself. extriage gives it images
 * that it reads on its own (triage/evidence/sleuthkit.c), so the program for the stick does without
 * them, and without the forty libraries behind them. */
#include <stddef.h>

void *no_aff_open(void), *no_ewf_open(void), *no_vhdi_open(void), *no_vmdk_open(void);

void *no_aff_open(void)
{
    return NULL;
}

void *no_ewf_open(void)
{
    return NULL;
}

void *no_vhdi_open(void)
{
    return NULL;
}

void *no_vmdk_open(void)
{
    return NULL;
}
