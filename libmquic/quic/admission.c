/* SPDX-License-Identifier: MIT */
/*
 * Who gets a place on a server, and who gives way. Places are limited: connections in all, those
 * of one address, and handshakes in flight, each of which costs some 50 kB and a signature.
 *
 * Handshakes are counted apart for addresses that are proven (RFC 9000 section 8.1) and for those
 * that anybody may have forged, and for each address; so are connections that are complete, which
 * takes no login, and have said nothing yet that deserves a place (connection_set_waiting()). When
 * places run out
 *
 *  - who is not proven must prove its address first, unless Retry is off;
 *  - who is proven takes the place of one who is not;
 *  - else the oldest of the address with the most gives way, if that has far more than the
 *    newcomer's, or has taken so long that hardly an honest client is behind it. A crowd that
 *    comes back after a power cut has one handshake for each address, and young ones: those go on,
 *    and newcomers are refused and try again.
 */
#include <stdlib.h>

#include "quic/admission.h"
#include "quic/body.h"

/* Share of the handshake limit from which on addresses must be proven (Retry). */
#define RETRY_SHARE 8

/* An address with this many times the handshakes of the newcomer's is greedy. */
#define GREED 4

/* Share of its time limit after which a handshake is old. */
#define OLD_SHARE 4

bool admission_init(struct quic_host *host, const uint64_t secret[2])
{
	struct list *crowds = &host->places.crowds[0][0];
	size_t i;

	for (i = 0; i < sizeof(host->places.crowds) / sizeof(*crowds); i++)
		list_init(&crowds[i]);
	return table_init(&host->places.addresses, secret);
}

void admission_fini(struct quic_host *host)
{
	table_fini(&host->places.addresses);
}

/* ---- Crowds: those of one kind and address ---------------------------------------- */

/*
 * Crowds of 1, of 2 and 3, of 4 to 7 ... stand in a list each, so that the greatest is found
 * without a search, as nearly as matters.
 */
static struct list *list_for(struct quic_host *host, unsigned int kind, uint32_t count)
{
	size_t level = 0;

	while ((count >>= 1) > 0 && level < CROWD_LEVELS - 1)
		level++;
	return &host->places.crowds[kind][level];
}

static void set_count(struct quic_host *host, struct quic_crowd *crowd, unsigned int kind,
		      uint32_t count)
{
	struct list *before = crowd->count > 0 ? list_for(host, kind, crowd->count) : NULL;
	struct list *after = count > 0 ? list_for(host, kind, count) : NULL;

	crowd->count = count;
	if (before == after)
		return;
	list_remove(&crowd->link);
	if (after != NULL)
		list_append(after, &crowd->link);
}

static void join_crowd(struct mquic_connection *connection, unsigned int kind)
{
	struct quic_crowd *crowd = &connection->place.address->crowds[kind];

	connection->place.kind = kind;
	list_append(&crowd->members, &connection->place.link);
	set_count(connection->host, crowd, kind, crowd->count + 1);
}

static void leave_crowd(struct mquic_connection *connection)
{
	unsigned int kind = connection->place.kind;
	struct quic_crowd *crowd = &connection->place.address->crowds[kind];

	list_remove(&connection->place.link);
	set_count(connection->host, crowd, kind, crowd->count - 1);
	if (kind != CROWD_WAITING)
		connection->host->places.handshakes--;
}

static bool is_in_crowd(const struct mquic_connection *connection)
{
	return connection->place.address != NULL && list_is_linked(&connection->place.link);
}

static bool is_handshake(const struct mquic_connection *connection)
{
	return is_in_crowd(connection) && connection->place.kind != CROWD_WAITING;
}

static struct mquic_connection *oldest(const struct quic_crowd *crowd)
{
	return list_is_empty(&crowd->members)
		       ? NULL
		       : list_entry(crowd->members.next, struct mquic_connection, place.link);
}

static bool is_old(const struct mquic_connection *connection)
{
	uint64_t limit_ns = connection->settings->handshake_timeout_ms * NGTCP2_MILLISECONDS;

	return endpoint_now(connection->endpoint) - connection->started_ns >= limit_ns / OLD_SHARE;
}

/* ---- Counting --------------------------------------------------------------------- */

static struct quic_address *find_address(const struct quic_host *host, const struct address *remote)
{
	uint8_t prefix[ADDRESS_PREFIX_MAX];
	size_t len = address_prefix(remote, prefix);
	struct table_entry *entry = table_find(&host->places.addresses, prefix, len);

	return entry == NULL ? NULL : list_entry(entry, struct quic_address, entry);
}

static struct quic_address *new_address(struct quic_host *host, const struct address *remote)
{
	struct quic_address *address = calloc(1, sizeof(*address));
	uint8_t prefix[ADDRESS_PREFIX_MAX];
	unsigned int kind;

	if (address == NULL)
		return NULL;
	for (kind = 0; kind < CROWD_KINDS; kind++)
		list_init(&address->crowds[kind].members);
	table_add(&host->places.addresses, &address->entry, prefix, address_prefix(remote, prefix));
	return address;
}

bool admission_enter(struct mquic_connection *connection, const struct address *remote,
		     enum address_proof proof)
{
	struct quic_host *host = connection->host;
	struct quic_address *address = find_address(host, remote);

	if (address == NULL)
		address = new_address(host, remote);
	if (address == NULL)
		return false;
	connection->place.address = address;
	address->connections++;
	host->places.connections++;
	host->places.handshakes++;
	join_crowd(connection, (unsigned int)proof);
	return true;
}

void admission_proven(struct mquic_connection *connection)
{
	if (!is_handshake(connection) || connection->place.kind == ADDRESS_PROVEN)
		return;
	leave_crowd(connection);
	connection->host->places.handshakes++;
	join_crowd(connection, ADDRESS_PROVEN);
}

void admission_handshake_over(struct mquic_connection *connection)
{
	if (!is_handshake(connection))
		return;
	leave_crowd(connection);
	join_crowd(connection, CROWD_WAITING);
}

void connection_set_waiting(struct mquic_connection *connection, bool waiting)
{
	if (connection->place.address == NULL || is_handshake(connection))
		return;
	if (is_in_crowd(connection))
		leave_crowd(connection);
	if (waiting)
		join_crowd(connection, CROWD_WAITING);
}

void admission_leave(struct mquic_connection *connection)
{
	struct quic_address *address = connection->place.address;

	if (address == NULL)
		return;
	if (is_in_crowd(connection))
		leave_crowd(connection);
	connection->place.address = NULL;
	connection->host->places.connections--;
	if (--address->connections == 0) {
		table_remove(&connection->host->places.addresses, &address->entry);
		free(address);
	}
}

/* ---- Judging ---------------------------------------------------------------------- */

struct newcomer {
	const struct mquic_settings *settings;
	const struct quic_address *address; /* NULL: nobody is here from there */
	enum address_proof proof;
};

/* A limit that is reached: what it says to one more, and who sets it. */
struct limit {
	const char *objection; /* NULL: there is room */
	const char *setting;
};

static struct limit limit_of_address(const struct newcomer *newcomer)
{
	uint32_t limit = newcomer->settings->max_connections_per_address;

	if (limit > 0 && newcomer->address != NULL && newcomer->address->connections >= limit)
		return (struct limit){"too many connections from this address",
				      "max_connections_per_address"};
	return (struct limit){NULL, NULL};
}

static struct limit limit_of_all(const struct quic_host *host, const struct newcomer *newcomer)
{
	if (host->places.connections >= newcomer->settings->max_connections)
		return (struct limit){"too many connections", "max_connections"};
	if (host->places.handshakes >= newcomer->settings->max_handshakes)
		return (struct limit){"too many handshakes", "max_handshakes"};
	return (struct limit){NULL, NULL};
}

/* What is wrong with a crowd that gives way. */
enum fault {
	FAULT_GREEDY,
	FAULT_OLD
};

/* Looks at one crowd of each size at most. */
static struct mquic_connection *find(struct quic_host *host, const struct newcomer *newcomer,
				     unsigned int kind, enum fault fault)
{
	uint32_t own = newcomer->address == NULL ? 0 : newcomer->address->crowds[kind].count;
	size_t level = CROWD_LEVELS;

	while (level-- > 0) {
		struct list *crowds = &host->places.crowds[kind][level];
		struct quic_crowd *crowd = list_entry(crowds->next, struct quic_crowd, link);

		if (!list_is_empty(crowds) &&
		    (fault == FAULT_GREEDY ? crowd->count / GREED > own : is_old(oldest(crowd))))
			return oldest(crowd);
	}
	return NULL;
}

/* The greedy before the old; the waiting only for who is proven, and where it makes room. */
static struct mquic_connection *find_faulty(struct quic_host *host, const struct newcomer *newcomer)
{
	bool waiting_too = newcomer->proof == ADDRESS_PROVEN &&
			   host->places.handshakes < newcomer->settings->max_handshakes;
	struct mquic_connection *found = NULL;
	int fault;

	for (fault = FAULT_GREEDY; fault <= FAULT_OLD && found == NULL; fault++) {
		if (waiting_too)
			found = find(host, newcomer, CROWD_WAITING, (enum fault)fault);
		if (found == NULL)
			found = find(host, newcomer, (unsigned int)newcomer->proof,
				     (enum fault)fault);
	}
	return found;
}

static struct mquic_connection *find_unproven(struct quic_host *host)
{
	size_t level = CROWD_LEVELS;

	while (level-- > 0) {
		struct list *crowds = &host->places.crowds[ADDRESS_UNPROVEN][level];

		if (!list_is_empty(crowds))
			return oldest(list_entry(crowds->next, struct quic_crowd, link));
	}
	return NULL;
}

/* The same within one address that has all it may have. */
static struct mquic_connection *find_within(const struct newcomer *newcomer)
{
	const struct quic_crowd *crowds = newcomer->address->crowds;
	struct mquic_connection *first = oldest(&crowds[ADDRESS_UNPROVEN]);

	/* Whoever forges an address must not keep out the one who has it. */
	if (newcomer->proof == ADDRESS_PROVEN && first != NULL)
		return first;
	first = oldest(&crowds[newcomer->proof]);
	if (first == NULL && newcomer->proof == ADDRESS_PROVEN)
		first = oldest(&crowds[CROWD_WAITING]);
	return first != NULL && is_old(first) ? first : NULL;
}

static struct mquic_connection *who_gives_way(struct quic_host *host,
					      const struct newcomer *newcomer)
{
	struct mquic_connection *unproven;

	if (limit_of_address(newcomer).objection != NULL)
		return find_within(newcomer);
	unproven = newcomer->proof == ADDRESS_PROVEN ? find_unproven(host) : NULL;
	return unproven != NULL ? unproven : find_faulty(host, newcomer);
}

/* Whether it would help a newcomer to prove its address. */
static bool could_give_way(struct quic_host *host, const struct newcomer *newcomer)
{
	struct newcomer proven = *newcomer;

	proven.proof = ADDRESS_PROVEN;
	return who_gives_way(host, &proven) != NULL;
}

static bool is_crowded(const struct quic_host *host, const struct mquic_settings *settings)
{
	return host->places.handshakes > 0 &&
	       host->places.handshakes >= settings->max_handshakes / RETRY_SHARE;
}

struct admission admission_judge(struct quic_host *host, const struct mquic_settings *settings,
				 const struct address *remote, enum address_proof proof)
{
	struct newcomer newcomer = {settings, find_address(host, remote), proof};
	struct admission admission = {NULL, NULL, NULL, false};
	struct limit limit = limit_of_address(&newcomer);
	bool may_ask = proof == ADDRESS_UNPROVEN && settings->retry != MQUIC_RETRY_NEVER;

	if (limit.objection == NULL)
		limit = limit_of_all(host, &newcomer);
	admission.objection = limit.objection;
	admission.setting = limit.setting;
	if (admission.objection == NULL) {
		admission.retry = may_ask && (settings->retry == MQUIC_RETRY_ALWAYS ||
					      is_crowded(host, settings));
		return admission;
	}
	if (may_ask)
		admission.retry = could_give_way(host, &newcomer);
	else
		admission.gives_way = who_gives_way(host, &newcomer);
	return admission;
}
