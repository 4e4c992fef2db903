;; asm/archive: libraries of objects.
(##namespace ("asm/archive#"
  archive? make-archive archive-name archive-members archive-objects member-full-name
  possible-member-name?
  member? make-member member-name member-bytes
  bytes->archive archive->bytes archive-bytes?
  archive-with-members archive-without-members))
