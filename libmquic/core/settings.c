/* SPDX-License-Identifier: MIT */
#include "core/settings.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- The rows ------------------------------------------------------------ */

#define DEFAULT_PATH(value)     .text = value
#define DEFAULT_PAIRED(value)   .text = value
#define DEFAULT_TEXT(value)     .text = value
#define DEFAULT_ADDRESS(value)  .text = value
#define DEFAULT_FLAG(value)     .number = (value)
#define DEFAULT_NUMBER(value)   .number = (value)
#define DEFAULT_OPTIONAL(value) .number = (value)
#define DEFAULT_COUNT(value)    .number = (value)
#define DEFAULT_CHOICE(value)   .number = (value)

#define SETTING_ROW(kind_of_it, field, from, to, value, marks_of_it, words)                        \
	[SETTING_##field] = {.kind = SETTING_KIND_##kind_of_it,                                    \
			     .offset = offsetof(struct mquic_settings, field),                     \
			     .least = (from),                                                      \
			     .most = (to),                                                         \
			     DEFAULT_##kind_of_it(value),                                          \
			     .marks = (marks_of_it),                                               \
			     .what = words},

const struct setting settings_rows[SETTINGS_COUNT] = {SETTINGS(SETTING_ROW)};

/* A choice is stored as a number of its size. */
static_assert(sizeof(enum mquic_congestion_control) == sizeof(uint32_t) &&
		      sizeof(enum mquic_redundancy) == sizeof(uint32_t) &&
		      sizeof(enum mquic_retry) == sizeof(uint32_t),
	      "an enum takes 32 bits");

static char **text_slot(struct mquic_settings *settings, const struct setting *row)
{
	return (char **)(void *)((char *)settings + row->offset);
}

static const char *text_of(const struct mquic_settings *settings, const struct setting *row)
{
	return *(char *const *)(const void *)((const char *)settings + row->offset);
}

static void number_store(struct mquic_settings *settings, const struct setting *row, uint64_t value)
{
	void *slot = (char *)settings + row->offset;
	uint32_t narrow = (uint32_t)value;
	bool flag = value != 0;

	if (row->kind == SETTING_KIND_FLAG)
		memcpy(slot, &flag, sizeof(flag));
	else if (row->kind == SETTING_KIND_COUNT || row->kind == SETTING_KIND_CHOICE)
		memcpy(slot, &narrow, sizeof(narrow));
	else
		memcpy(slot, &value, sizeof(value));
}

static uint64_t number_of(const struct mquic_settings *settings, const struct setting *row)
{
	const void *slot = (const char *)settings + row->offset;
	uint64_t wide;
	uint32_t narrow;

	if (row->kind == SETTING_KIND_FLAG)
		return *(const bool *)slot ? 1 : 0;
	if (row->kind == SETTING_KIND_COUNT || row->kind == SETTING_KIND_CHOICE) {
		memcpy(&narrow, slot, sizeof(narrow));
		return narrow;
	}
	memcpy(&wide, slot, sizeof(wide));
	return wide;
}

/* ---- Life ---------------------------------------------------------------- */

static bool replace_text(char **slot, const char *value)
{
	char *copy = NULL;

	if (value != NULL) {
		copy = strdup(value);
		if (copy == NULL)
			return false;
	}
	free(*slot);
	*slot = copy;
	return true;
}

static bool set_default(struct mquic_settings *settings, const struct setting *row)
{
	if (setting_is_text(row))
		return replace_text(text_slot(settings, row),
				    row->text[0] == '\0' ? NULL : row->text);
	number_store(settings, row, row->number);
	return true;
}

enum mquic_status mquic_settings_new(struct mquic_settings **settings)
{
	struct mquic_settings *made;
	size_t i;

	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	made = calloc(1, sizeof(*made));
	for (i = 0; made != NULL && i < SETTINGS_COUNT; i++)
		if (!set_default(made, &settings_rows[i])) {
			mquic_settings_free(made);
			made = NULL;
		}
	if (made == NULL)
		return MQUIC_ERR_MEMORY;
	*settings = made;
	return MQUIC_OK;
}

void mquic_settings_free(struct mquic_settings *settings)
{
	size_t i;

	if (settings == NULL)
		return;
	for (i = 0; i < SETTINGS_COUNT; i++)
		if (setting_is_text(&settings_rows[i]))
			free(*text_slot(settings, &settings_rows[i]));
	key_pairs_clear(&settings->more);
	explicit_bzero(settings->server_secret, sizeof(settings->server_secret));
	free(settings);
}

/* Gives `copy`, which has the numbers already, texts of its own. */
static bool copy_texts(struct mquic_settings *copy, const struct mquic_settings *settings)
{
	bool done = true;
	size_t i;

	for (i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *row = &settings_rows[i];

		if (!setting_is_text(row))
			continue;
		*text_slot(copy, row) = NULL;
		done = done && replace_text(text_slot(copy, row), text_of(settings, row));
	}
	copy->more = (struct key_pairs){NULL, 0};
	return done && key_pairs_copy(&copy->more, &settings->more);
}

struct mquic_settings *settings_copy(const struct mquic_settings *settings)
{
	struct mquic_settings *copy;

	if (settings == NULL)
		return mquic_settings_new(&copy) == MQUIC_OK ? copy : NULL;
	copy = malloc(sizeof(*copy));
	if (copy == NULL)
		return NULL;
	*copy = *settings;
	if (!copy_texts(copy, settings)) {
		mquic_settings_free(copy);
		return NULL;
	}
	return copy;
}

const char *mquic_settings_error(const struct mquic_settings *settings)
{
	return settings == NULL ? "no settings object was given" : settings->error.text;
}

/* ---- Comparing ----------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same(const struct mquic_settings *a, const struct mquic_settings *b,
		 const struct setting *row)
{
	return setting_is_text(row) ? same_text(text_of(a, row), text_of(b, row))
				    : number_of(a, row) == number_of(b, row);
}

bool settings_same_credentials(const struct mquic_settings *a, const struct mquic_settings *b)
{
	size_t i;

	for (i = 0; i < SETTINGS_COUNT; i++)
		if ((settings_rows[i].marks & SETTING_CREDENTIAL) && !same(a, b, &settings_rows[i]))
			return false;
	return key_pairs_are_same(&a->more, &b->more);
}

/* ---- Checks -------------------------------------------------------------- */

/* "192.0.2.1", "2001:db8::1", "fe80::1%eth0" */
static bool is_address(const char *text)
{
	char host[INET6_ADDRSTRLEN];
	struct in6_addr binary;
	size_t len = strcspn(text, "%");

	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (inet_pton(AF_INET6, host, &binary) == 1)
		return true;
	return text[len] == '\0' && inet_pton(AF_INET, host, &binary) == 1;
}

static enum mquic_status check_text(struct error *error, const struct setting *row,
				    const char *value)
{
	size_t len = strlen(value);

	if ((row->kind == SETTING_KIND_PATH || row->kind == SETTING_KIND_PAIRED) && len == 0)
		return error_set(error, MQUIC_ERR_INVALID,
				 "the name of the %s is empty: give one, or none at all",
				 row->what);
	if (row->kind == SETTING_KIND_TEXT && (len < row->least || len > row->most))
		return error_set(error, MQUIC_ERR_INVALID, "%s has %d to %d bytes, not %zu",
				 row->what, (int)row->least, (int)row->most, len);
	if (row->kind == SETTING_KIND_ADDRESS && !is_address(value))
		return error_set(error, MQUIC_ERR_INVALID,
				 "'%s' is not a numeric IPv4 or IPv6 address of %s", value,
				 row->what);
	return MQUIC_OK;
}

static enum mquic_status set_text(struct mquic_settings *settings, const struct setting *row,
				  const char *value)
{
	enum mquic_status status = MQUIC_OK;

	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	if (value != NULL)
		status = check_text(&settings->error, row, value);
	else if (row->marks & SETTING_NEEDED)
		status = error_set(&settings->error, MQUIC_ERR_INVALID,
				   "%s has %d to %d bytes, and cannot be NULL", row->what,
				   (int)row->least, (int)row->most);
	if (status == MQUIC_OK && !replace_text(text_slot(settings, row), value))
		status = error_set(&settings->error, MQUIC_ERR_MEMORY, "out of memory");
	return status;
}

static enum mquic_status set_number(struct mquic_settings *settings, const struct setting *row,
				    uint64_t value)
{
	bool zero = row->marks & SETTING_ZERO;

	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	if ((value < row->least || value > row->most) && !(zero && value == 0))
		return error_set(&settings->error, MQUIC_ERR_INVALID,
				 "%s must be %u to %u%s, not %llu", row->what, row->least,
				 row->most, zero ? ", or 0 for off" : "",
				 (unsigned long long)value);
	number_store(settings, row, value);
	return MQUIC_OK;
}

static enum mquic_status set_optional(struct mquic_settings *settings, const struct setting *row,
				      uint64_t value, size_t told)
{
	enum mquic_status status = set_number(settings, row, value);

	if (status == MQUIC_OK)
		*(bool *)((char *)settings + told) = true;
	return status;
}

/* ---- The setters --------------------------------------------------------- */

#define SETTER(field, type, ...)                                                                   \
	enum mquic_status mquic_settings_set_##field(struct mquic_settings *settings, type value)  \
	{                                                                                          \
		return __VA_ARGS__;                                                                \
	}
#define SET_TEXT(field)   set_text(settings, &settings_rows[SETTING_##field], value)
#define SET_NUMBER(field) set_number(settings, &settings_rows[SETTING_##field], value)
#define SET_OPTIONAL(field)                                                                        \
	set_optional(settings, &settings_rows[SETTING_##field], value,                             \
		     offsetof(struct mquic_settings, field##_told))

#define SETTER_PATH(field)     SETTER(field, const char *, SET_TEXT(field))
#define SETTER_PAIRED(field)   /* below */
#define SETTER_TEXT(field)     SETTER(field, const char *, SET_TEXT(field))
#define SETTER_ADDRESS(field)  SETTER(field, const char *, SET_TEXT(field))
#define SETTER_FLAG(field)     SETTER(field, bool, SET_NUMBER(field))
#define SETTER_NUMBER(field)   SETTER(field, uint64_t, SET_NUMBER(field))
#define SETTER_OPTIONAL(field) SETTER(field, uint64_t, SET_OPTIONAL(field))
#define SETTER_COUNT(field)    SETTER(field, uint32_t, SET_NUMBER(field))
#define SETTER_CHOICE(field)   SETTER(field, enum mquic_##field, SET_NUMBER(field))

#define SETTER_OF_ROW(kind, field, ...) SETTER_##kind(field)

SETTINGS(SETTER_OF_ROW)

enum mquic_status mquic_settings_set_server_secret(struct mquic_settings *settings,
						   const uint8_t *data, size_t len)
{
	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	if (len != (data == NULL ? 0 : SERVER_SECRET_LEN))
		return error_set(&settings->error, MQUIC_ERR_INVALID,
				 "a server secret has %d bytes, not %zu", SERVER_SECRET_LEN, len);
	settings->has_server_secret = data != NULL;
	if (data != NULL)
		memcpy(settings->server_secret, data, len);
	else
		explicit_bzero(settings->server_secret, SERVER_SECRET_LEN);
	return MQUIC_OK;
}

/* Both, or, where that is allowed, none. */
static enum mquic_status check_pair(struct mquic_settings *settings, const char *cert_path,
				    const char *key_path)
{
	enum mquic_status status = MQUIC_OK;

	if ((cert_path == NULL) != (key_path == NULL))
		return error_set(&settings->error, MQUIC_ERR_INVALID,
				 "certificate file and key file go together: the %s is missing",
				 cert_path == NULL ? "certificate" : "key");
	if (cert_path != NULL)
		status = check_text(&settings->error, &settings_rows[SETTING_cert_file], cert_path);
	if (status == MQUIC_OK && key_path != NULL)
		status = check_text(&settings->error, &settings_rows[SETTING_key_file], key_path);
	return status;
}

enum mquic_status mquic_settings_set_certificate(struct mquic_settings *settings,
						 const char *cert_path, const char *key_path)
{
	char *old;
	enum mquic_status status;

	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	status = check_pair(settings, cert_path, key_path);
	if (status != MQUIC_OK)
		return status;
	old = settings->cert_file;
	settings->cert_file = NULL;
	if (!replace_text(&settings->cert_file, cert_path) ||
	    !replace_text(&settings->key_file, key_path)) { /* all or nothing */
		free(settings->cert_file);
		settings->cert_file = old;
		return error_set(&settings->error, MQUIC_ERR_MEMORY, "out of memory");
	}
	free(old);
	key_pairs_clear(&settings->more);
	return MQUIC_OK;
}

enum mquic_status mquic_settings_add_certificate(struct mquic_settings *settings,
						 const char *cert_path, const char *key_path)
{
	enum mquic_status status;

	if (settings == NULL)
		return MQUIC_ERR_INVALID;
	if (cert_path == NULL && key_path == NULL)
		return error_set(&settings->error, MQUIC_ERR_INVALID,
				 "adding a certificate needs the names of its file and of its "
				 "key's");
	if (settings->cert_file == NULL)
		return mquic_settings_set_certificate(settings, cert_path, key_path);
	status = check_pair(settings, cert_path, key_path);
	if (status == MQUIC_OK && !key_pairs_add(&settings->more, cert_path, key_path))
		status = error_set(&settings->error, MQUIC_ERR_MEMORY, "out of memory");
	return status;
}
