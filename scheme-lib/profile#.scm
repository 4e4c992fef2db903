;; scheme-lib/profile: where a program's instructions go.

(##namespace
 ("scheme-lib/profile#"
  make-profile profile? profile-observation machine-profile! sampling-weight burst
  profile-instructions profile-sampled? profile-lost
  profile-places profile-symbols profile-lines profile-opcodes profile-pairs profile-stacks profile-accesses
  share-name share-self share-inclusive share-calls
  cell-address cell-reads cell-writes cell-executions
  share-text write-folded-stacks))
