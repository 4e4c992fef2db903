; table.s: the words and their counts, in a hash table of chained entries.

(use asm/library/structured)
(use asm/library/records)
(use words/bytes)

.equ BUCKETS, 4096                      ; a power of two
.equ MOST_ENTRIES, 65536
.equ MOST_BYTES, 1048576                ; of all words

($record entry
  (next u64)                            ; in the bucket, or 0
  (count u64)
  (text u64)                            ; its address
  (length u64))

.global count_word, entries, entry_count

.data
entry_count:    .quad 0
bytes_used:     .quad 0

.bss
        .align  8
buckets:        .zero (* 8 BUCKETS)
entries:        .zero (* entry.size MOST_ENTRIES)
bytes:          .zero MOST_BYTES

.text
; count_word (address, length): one more of this word
($procedure "count_word" (text length) (bucket entry count)
  ($set bucket ($call "bucket_of" text length))
  ($set entry ($call "find" bucket text length))
  ($if (entry = 0)
       ($set entry ($call "new_entry" bucket text length)))
  ($load count entry entry.count)
  (addi count count 1)
  ($store entry count entry.count))

; bucket_of (address, length) -> the address of a word's bucket
($procedure "bucket_of" (text length) (end hash byte)
  ($set hash 5381)
  (add end text length)
  ($ (for-bytes byte text end
       (list 'muli hash hash 33)
       (list 'xor hash hash byte)))
  (andi hash hash (- BUCKETS 1))
  (shli hash hash 3)
  (addi hash hash (address "buckets"))
  ($return hash))

; find (bucket, address, length) -> the word's entry, or 0
($procedure "find" (bucket text length) (entry other_text other_length same)
  (ldu64 entry bucket)
  ($while (entry != 0)
    ($load other_length entry entry.length)
    ($if (other_length = length)
         ($begin
           ($load other_text entry entry.text)
           ($set same ($call "same_bytes" text other_text length))
           ($if (same != 0)
                ($return entry))))
    ($load entry entry entry.next))
  ($return 0))

($procedure "same_bytes" (a b length) (end x y)
  (add end a length)
  ($ (for-bytes x a end
       (list 'ldu8 y b)
       (list 'addi b b 1)
       (list 'bne x y "different")))
  ($return 1)
  "different"
  ($return 0))

; new_entry (bucket, address, length) -> a new one, with a count of 0
($procedure "new_entry" (bucket text length) (entry number used first)
  ($set number (address "entry_count"))
  (ldu64 number number)
  ($set used (address "bytes_used"))
  (ldu64 used used)
  (add first used length)
  ($if (or (number >= 'MOST_ENTRIES) (first > 'MOST_BYTES))
       (trap 0))                        ; too many words: the debugger shows where

  ($set entry (address "entries"))
  (muli first number entry.size)
  (add entry entry first)
  (addi first used (address "bytes"))
  (bcopy first text length)
  ($store entry first entry.text)
  ($store entry length entry.length)
  (ldu64 first bucket)
  ($store entry first entry.next)
  (st64 bucket entry)

  (addi number number 1)
  ($set first (address "entry_count"))
  (st64 first number)
  (add used used length)
  ($set first (address "bytes_used"))
  (st64 first used)
  ($return entry))
