/* SPDX-License-Identifier: MIT */
/* What a program weighs that does nothing: to be taken off the others. */
int main(void)
{
	return 0;
}
