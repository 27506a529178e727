/* SPDX-License-Identifier: MIT */
/* What somebody writes on the first day, and builds with what they always build with. */
#include <mquic.h>
#include <stdio.h>

int main(void)
{
	struct mquic_endpoint *endpoint;
	struct mquic_session *session;
	enum mquic_status status = mquic_endpoint_new(&endpoint);

	if (status == MQUIC_OK)
		status = mquic_session_new(&session, endpoint, NULL);
	if (status != MQUIC_OK) {
		fprintf(stderr, "%s\n", mquic_status_text(status));
		return 1;
	}
	printf("libmquic %s\n", mquic_version());
	mquic_session_free(session);
	mquic_endpoint_free(endpoint);
	return 0;
}
