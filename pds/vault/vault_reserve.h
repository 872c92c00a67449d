/* Disk that is kept, so that a full one still lets the owner erase, lock, withdraw and change the passphrase.
 *
 * It is allotted beyond the end of `lock`, where no program reads. Spending it makes room for whoever writes
 * next on that file system; it is kept again when there is enough. */
#ifndef VAULT_VAULT_RESERVE_H
#define VAULT_VAULT_RESERVE_H

/* Keep it for the store in the folder dir. What cannot be had is told in the log, once a process. */
void vault_reserve_keep(const char *dir);
void vault_reserve_spend(const char *dir);
#endif
