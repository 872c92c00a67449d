/* Disk that is kept, so that a full one still lets the owner erase, lock, withdraw and change the passphrase.
 *
 * It is allotted beyond the end of `lock`, where no program reads. Spending it makes room for whoever writes
 * next on that file system; then as much as there is room for is kept again. */
#ifndef VAULT_VAULT_RESERVE_H
#define VAULT_VAULT_RESERVE_H

/* Keep it for the store in the folder dir. When none can be had, the log tells, once a process. */
void vault_reserve_keep(const char *dir);
void vault_reserve_spend(const char *dir);
#endif
