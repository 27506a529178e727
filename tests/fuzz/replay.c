/* SPDX-License-Identifier: MIT */
/* Feeds files, or all files of directories, to a fuzz target once: the corpus as a test. */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

/* Larger than any seed; what is behind it is left out. */
#define INPUT_MAX 1048576

static size_t replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *buffer = malloc(INPUT_MAX);
	uint8_t *input = NULL;
	size_t size = 0;

	if (file != NULL && buffer != NULL) {
		size = fread(buffer, 1, INPUT_MAX, file);
		/* Of exactly its size, so that the sanitizers see one byte too many. */
		input = malloc(size > 0 ? size : 1);
	}
	if (input == NULL) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	memcpy(input, buffer, size);
	(void)LLVMFuzzerTestOneInput(input, size);
	free(input);
	free(buffer);
	(void)fclose(file);
	return 1;
}

static size_t replay_directory(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	size_t count = 0;
	char name[4096];

	if (directory == NULL) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		count += replay_file(name);
	}
	(void)closedir(directory);
	return count;
}

int main(int argc, char **argv)
{
	size_t count = 0;
	int i;

	for (i = 1; i < argc; i++) {
		struct stat status;

		if (stat(argv[i], &status) == 0 && S_ISDIR(status.st_mode))
			count += replay_directory(argv[i]);
		else
			count += replay_file(argv[i]);
	}
	(void)printf("%zu inputs\n", count);
	return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
