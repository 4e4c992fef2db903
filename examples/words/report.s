; report.s: writes the words and their counts: the most frequent first, those of equal counts by the alphabet.

(use asm/library/structured)
(use asm/library/records)

; As table.s makes them.
($record entry (next u64) (count u64) (text u64) (length u64))

.equ MOST_ENTRIES, 65536
.global report

.bss
        .align  8
order:  .zero   (* 8 MOST_ENTRIES)      ; addresses of entries

.text
($procedure "report" () (number total order entry count text length)
  ($set total (address "entry_count"))
  (ldu64 total total)
  ($set order (address "order"))
  ($set entry (address "entries"))
  ($for (number 0 total)
    (stx64 order number entry)
    (addi entry entry entry.size))
  ($call "sort" order total)
  ($for (number 0 total)
    (ldxu64 entry order number)
    ($load count entry entry.count)
    ($call "put_number" count 7)
    ($call "put_byte" #\space)
    ($load text entry entry.text)
    ($load length entry entry.length)
    ($call "put_bytes" text length)
    ($call "put_byte" #\newline)))

; sort (address, count): Shell's sort of so many addresses of entries
($procedure "sort" (words total) (gap place from entry other before)
  (shri_u gap total 1)
  ($while (gap > 0)
    ($for (place gap total)
      (ldxu64 entry words place)
      ($set from place)
      ($while (from >= gap)
        (sub from from gap)
        (ldxu64 other words from)
        ($set before ($call "comes_before" entry other))
        ($if (before = 0)
             ($begin (add from from gap)
                     ($break)))
        (add before from gap)
        (stx64 words before other))
      (stx64 words from entry))
    (shri_u gap gap 1)))

; comes_before (entry, entry) -> 1 if the first one is to be written before the second
($procedure "comes_before" (a b) (x y p q end)
  ($load x a entry.count)
  ($load y b entry.count)
  ($if (x > y) ($return 1))
  ($if (x < y) ($return 0))
  ($load p a entry.text)
  ($load q b entry.text)
  ($load end a entry.length)
  ($load y b entry.length)
  (min_u end end y)
  (add end p end)
  ($while (p != end)
    (ldu8 x p)
    (ldu8 y q)
    ($if (x < y) ($return 1))
    ($if (x > y) ($return 0))
    (addi p p 1)
    (addi q q 1))
  ($load x a entry.length)              ; one word begins with the other
  ($load y b entry.length)
  (lt_u x x y)
  ($return x))
