# task: processes share System V memory
# needs: perl
# differs: memory of other programs would be within reach
# proof: shared
set -euo pipefail

work() {
    perl -MIPC::SysV=IPC_PRIVATE,IPC_CREAT,IPC_RMID -e '
        $id = shmget(IPC_PRIVATE, 100, IPC_CREAT | 0600) // die "shmget: $!\n";
        shmwrite($id, "shared", 0, 6) or die "shmwrite: $!\n";
        shmread($id, $word, 0, 6) or die "shmread: $!\n";
        shmctl($id, IPC_RMID, 0);
        print "$word\n"'
}

"$@"
