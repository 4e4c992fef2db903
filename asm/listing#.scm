;; asm/listing: a program beside the source that it was made of.
(##namespace ("asm/listing#" program-listing program-write-listing))
