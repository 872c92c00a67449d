/* Runs a fuzz target over the files of the folders (or the single files) that are its arguments: once each,
 * in order of their names, without a fuzzing engine. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file in a block of its very size, so that a sanitizer sees a read past its end. */
static int run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    long size = -1;

    if (f && fseek(f, 0, SEEK_END) == 0)
        size = ftell(f);
    if (size >= 0)
        data = malloc(size > 0 ? (size_t)size : 1);
    if (!f || !data || fseek(f, 0, SEEK_SET) != 0 || fread(data, 1, (size_t)size, f) != (size_t)size) {
        (void)fprintf(stderr, "%s cannot be read\n", path);
        size = -1;
    }
    if (size >= 0) {
        (void)printf("%s\n", path); /* the last one named is the one that broke it */
        (void)fflush(stdout);
        (void)LLVMFuzzerTestOneInput(data, (size_t)size);
    }
    free(data);
    if (f)
        (void)fclose(f);
    return size >= 0;
}

static int visible(const struct dirent *entry) { return entry->d_name[0] != '.'; }

/* How many files ran; 0 when one could not. */
static int run_dir(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, visible, alphasort), good = 1;

    if (count < 0) {
        (void)fprintf(stderr, "%s cannot be listed\n", path);
        return 0;
    }
    for (int i = 0; i < count; i++) {
        char file[4096];

        good = good && (size_t)snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name) < sizeof file &&
               run_file(file);
        free(entries[i]);
    }
    free(entries);
    return good ? count : 0;
}

/* An empty corpus is a mistake of ours: a test that tests nothing must not pass. */
int main(int argc, char **argv)
{
    int files = 0;

    for (int i = 1; i < argc; i++) {
        struct stat info;
        int ran = stat(argv[i], &info) == 0 && S_ISDIR(info.st_mode) ? run_dir(argv[i]) : run_file(argv[i]);

        if (ran == 0)
            return EXIT_FAILURE;
        files += ran;
    }
    (void)printf("%d files\n", files);
    return files > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
