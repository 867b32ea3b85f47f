/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How far a ClientHello is read, and which field comes next: the whole state of its parser (client_hello.h), so that a
 * message cut at any places is read as in one piece.
 */
#ifndef SNIF_HELLO_STATE_H
#define SNIF_HELLO_STATE_H

#include "name.h"
#include "portable.h"
#include "reason.h"

#define SNIF_HELLO_LONGEST 16384  /* bytes of a ClientHello, its message header included, unless the policy says else */
#define SNIF_HELLO_MOST 65536	  /* what a policy may say at most */
#define SNIF_HELLO_EXTENSIONS 128 /* extensions of types from 64 on; all types below 64 can be there besides */
#define SNIF_WINDOW 512		  /* bytes read from the source at once; a power of two */

/* What a policy lets pass of ClientHellos. All zero: none at all. */
struct snif_hello_rules {
	__u32 longest;	    /* bytes of the message, its header included */
	__u32 stream;	    /* bytes of its records: those, and what headers full records need */
	__u8 split_records; /* it may be cut over records that are not full */
	__u8 trailing_dot;  /* its name may end with a dot */
	__u8 postgres;	    /* of the connection: PostgreSQL's question may come before it, see tls_record.h */
	__u8 unused;
};

enum snif_hello_status {
	SNIF_HELLO_MORE,    /* well-formed so far, not complete */
	SNIF_HELLO_READ,    /* a ClientHello is complete: judge its name, then go on behind it */
	SNIF_HELLO_REFUSED, /* see reason; the parser is not to be fed again */
	SNIF_HELLO_OVER,    /* behind a ClientHello: no further one can come in clear */
};

/* The field that comes next. */
enum snif_hello_field {
	SNIF_FIELD_MESSAGE, /* type and length */
	SNIF_FIELD_VERSION,
	SNIF_FIELD_SESSION_ID, /* its length; likewise those below */
	SNIF_FIELD_CIPHERS,
	SNIF_FIELD_COMPRESSION,
	SNIF_FIELD_EXTENSIONS,
	SNIF_FIELD_EXTENSION, /* type and length */
	SNIF_FIELD_SNI_LIST,
	SNIF_FIELD_SNI_ENTRY, /* type and length */
	SNIF_FIELD_SNI_NAME,
	SNIF_FIELD_VERSIONS,
	SNIF_FIELD_VERSION_ITEMS,
	SNIF_FIELD_PROTOCOLS,
	SNIF_FIELD_PROTOCOL_ITEM, /* its length */
	SNIF_FIELD_LIST,
	SNIF_FIELD_END,
};

/* All zero, but for the rules, is the beginning of a stream. */
struct snif_hello {
	struct snif_hello_rules rules; /* set whenever bytes are fed, so that a reload counts at once */
	__u32 skip;		       /* bytes to pass over before the field */
	__u32 left;		       /* bytes of the message behind the field */
	__u16 need, have;	       /* bytes of the field: in all, collected */
	__u16 extension_left;	       /* bytes of the extension behind the field */
	__u16 version;		       /* the highest offered, 0x0304 is TLS 1.3; 0: not read yet */
	__u16 name_length;	       /* of the last ClientHello that had one */
	__u16 seen_count;
	__u8 started; /* need is set */
	__u8 field;   /* enum snif_hello_field */
	__u8 status;  /* enum snif_hello_status */
	__u8 reason;  /* enum snif_reason, when refused */
	__u8 refusal; /* why it will be refused, once its name is read for the log, or with these bytes */
	__u8 hellos;  /* ClientHellos read to their end */
	__u8 named;   /* the server name of this ClientHello is read */
	__u8 ech;     /* encrypted_client_hello is there: the name is the outer one */
	/* the bytes of the field collected so far, as a number. A name goes to `name`: 0; or it is whole in the window, from
	 * byte `value` - 1 on */
	__u32 value;
	/* of the TLS records that bring the message, if any do: tls_record.h's. The parser itself asks for `records` */
	__u32 size;	   /* bytes of the stream that this ClientHello has taken, record headers included */
	__u32 records;	   /* handshake records begun for this ClientHello */
	__u16 record_left; /* bytes of the record to come, behind those at hand */
	__u16 record_size; /* bytes of the record in all */
	__u64 record;	   /* the bytes of the record's header collected so far, as a number */
	__u8 record_have;  /* how many these are */
	__u8 record_pass;  /* the record is passed over whole */
	__u8 early_data;   /* early_data was offered: application data may come before a second ClientHello */
	__u8 changed;	   /* a change_cipher_spec came behind the ClientHello: what follows may be encrypted */
	__u8 doubt;	   /* a handshake record was passed over for that: why a further one is refused */
	__u8 asked;	   /* PostgreSQL's question came first */
	/* what is at hand: here and not on the stack, of which the verifier would follow each value apart */
	__u32 offset, end;		   /* of the message's bytes in the source that are still to be read */
	__u32 source_end;		   /* of all bytes that can be read there */
	__u32 window_at, window_end;	   /* of those in the window */
	__u64 seen_low;			   /* extension types below 64 */
	__u64 seen_mixed;		   /* a bit for each of the others, which some share */
	__u16 seen[SNIF_HELLO_EXTENSIONS]; /* the others */
	struct snif_name_scan scan;	   /* of the name */
	__u8 window[SNIF_WINDOW + 8];	   /* with room for a number that begins at its end */
	__u8 name[SNIF_NAME_BUFFER];
};

/* One store, as it is in many places, each of which the verifier goes through: snif_hello_taken() does the rest. */
static __always_inline long snif_hello_refuse(struct snif_hello *h, enum snif_reason reason) {
	h->reason = reason;
	return SNIF_STOP;
}

/* After a subprogram, of whose result the verifier knows nothing: whether the parser goes on. */
static __always_inline long snif_hello_next(const struct snif_hello *h) {
	return h->status == SNIF_HELLO_MORE && h->reason == SNIF_REASON_NONE ? SNIF_NEXT : SNIF_STOP;
}

/* Asks for the next field: `need` bytes of the message, after `skip` that are passed over. */
static __always_inline long snif_hello_want(struct snif_hello *h, enum snif_hello_field field, __u32 skip, __u32 need) {
	if (skip + need > h->left)
		return snif_hello_refuse(h, SNIF_REASON_HELLO_LENGTH);
	h->left -= skip + need;
	h->skip = skip;
	h->need = need;
	h->have = 0;
	h->value = 0;
	h->field = field;
	return SNIF_NEXT;
}

/* Asks for the next extension, or for the end of the message, after `skip` bytes. */
static __always_inline long snif_hello_want_extension(struct snif_hello *h, __u32 skip) {
	_Bool last = skip == h->left;

	return snif_hello_want(h, last ? SNIF_FIELD_END : SNIF_FIELD_EXTENSION, skip, last ? 0 : 4);
}

#endif
