/* SPDX-License-Identifier: MIT */
#include "quic/path.h"

#include <string.h>

void path_set(struct quic_path *path, const ngtcp2_path *from)
{
	path->peer = path_address(&from->remote);
	path->local = path_address(&from->local);
	address_print(&path->peer, path->peer_text);
	address_print(&path->local, path->local_text);
}

ngtcp2_path path_of(struct wire *wire, const struct datagram *datagram)
{
	return (ngtcp2_path){
		.local = {(ngtcp2_sockaddr *)(uintptr_t)&datagram->local.of, datagram->local.len},
		.remote = {(ngtcp2_sockaddr *)(uintptr_t)&datagram->remote.of,
			   datagram->remote.len},
		.user_data = wire,
	};
}

struct address path_address(const ngtcp2_addr *from)
{
	struct address address = {.len = from->addrlen};

	memcpy(&address.of, from->addr, from->addrlen);
	return address;
}
