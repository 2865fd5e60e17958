/* SPDX-License-Identifier: GPL-2.0 */
/* What cppcheck, which reads no system headers, must know of jansson's loops. */
#define json_array_foreach(a, i, v) \
	for ((i) = 0; ((v) = json_array_get(a, i)) != 0; (i)++)
#define json_object_foreach(o, k, v) \
	for ((k) = json_first_key(o, &(v)); (k); (k) = json_next_key(o, k, &(v)))
