#!/bin/sh
# Makes dist/signalbox_VERSION.qcow2 and .raw, a disk image of Debian 12 with the package that is in dist/ (`make image`).
# As root. The disk has one partition, boots by BIOS, and uses the first serial line and the screen as consoles.
set -eu
cd "$(dirname "$0")/.."

package=${PACKAGE:-$(ls -t dist/signalbox_*.deb | head -n 1)}
name=$(basename "$package" .deb)
# The packages of Debian that an earlier run has fetched; apt fetches what is missing or newer.
fetched=$PWD/build/debian
# Not in the tree: building a wheel there walks through all of it.
work=/var/tmp/signalbox-image
root=$work/root
size_mib=2048
# Where the partition begins, in octets: 1 MiB, as usual.
begin=1048576
packages=linux-image-cloud-amd64,initramfs-tools,systemd-sysv,systemd-timesyncd,systemd-resolved,udev,dbus,iproute2,nftables
packages=$packages,iputils-ping,openssh-server,man-db,bash-completion,less,adduser,python3,python3-yaml,sudo,fdisk,nano
packages=$packages,ca-certificates
# What the kernel package does when it may make one (INITRD, kernel-img.conf(5)).
make_initramfs='unset INITRD; for version in $(linux-version list); do update-initramfs -c -k $version;
    linux-update-symlinks install $version /boot/vmlinuz-$version; done'
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}"

make_root() {
    rm -rf "$root"
    # What is lost when this machine loses power is made anew: dpkg need not wait for the disk after each file.
    # One initramfs when all is installed, not one with the kernel and another one with each package that changes it.
    INITRD=No mmdebstrap --quiet --variant=minbase --include="$packages" --dpkgopt=force-unsafe-io \
        --skip=download/empty,essential/unlink \
        --setup-hook='mkdir -p "$1"/var/cache/apt/archives/' \
        --setup-hook="sync-in $fetched /var/cache/apt/archives/" \
        --customize-hook='chroot "$1" apt-get autoclean --quiet=2 >/dev/null' --customize-hook="rm -f $fetched/*.deb" \
        --customize-hook="sync-out /var/cache/apt/archives $fetched" \
        --customize-hook='echo COMPRESS=gzip >"$1"/etc/initramfs-tools/conf.d/signalbox' \
        --customize-hook="chroot \"\$1\" sh -ec '$make_initramfs' >/dev/null" \
        --customize-hook="upload $package /tmp/signalbox.deb" \
        --customize-hook='chroot "$1" env --unset=SOURCE_DATE_EPOCH dpkg --install /tmp/signalbox.deb >/dev/null' \
        --customize-hook='install -d "$1"/var/lib/signalbox-upgrade' \
        --customize-hook='mv "$1"/tmp/signalbox.deb "$1"/var/lib/signalbox-upgrade/installed.deb' \
        --customize-hook='rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/signalbox/signalbox.conf "$1"/etc/machine-id' \
        --customize-hook='touch "$1"/etc/machine-id' \
        --customize-hook='rm "$1"/etc/dpkg/dpkg.cfg.d/99mmdebstrap' \
        --customize-hook='rm -rf "$1"/var/lib/signalbox/* "$1"/var/cache/apt/archives/*.deb' \
        --customize-hook='chroot "$1" systemctl --quiet enable systemd-networkd systemd-resolved systemd-timesyncd' \
        --customize-hook='chroot "$1" passwd --quiet --lock root' \
        bookworm "$root" http://deb.debian.org/debian
    install -D -m 0644 -t "$root/usr/lib/signalbox-image" packaging/image/*.py
    install -m 0644 packaging/image/*.service packaging/image/*.path "$root/etc/systemd/system/"
    install -D -m 0644 packaging/image/patience.conf "$root/etc/systemd/system.conf.d/signalbox.conf"
    install -D -m 0644 packaging/image/signalbox-start.conf "$root/etc/systemd/system/signalbox.service.d/image.conf"
    install -D -m 0644 packaging/image/extlinux.conf "$root/boot/extlinux/extlinux.conf"
    chroot "$root" systemctl --quiet enable signalbox-first-boot.service signalbox-system.path \
        signalbox-reboot.path signalbox-power-off.path
    # The servers that DHCP or the configuration names, and no cache between them and the appliance's own.
    ln -sf /run/systemd/resolve/resolv.conf "$root/etc/resolv.conf"
    printf 'LABEL=signalbox / ext4 errors=remount-ro 0 1\n' >"$root/etc/fstab"
    printf 'Match Group signalbox\n    DisableForwarding yes\n' >"$root/etc/ssh/sshd_config.d/signalbox.conf"
    # Debian's links to the kernel stand in the root folder, where the boot loader looks.
    [ -e "$root/vmlinuz" ] && [ -e "$root/initrd.img" ] || { echo "The image has no kernel or no initramfs." >&2; exit 1; }
}

make_disk() {
    disk=$work/disk.raw
    rm -f "$disk"
    truncate --size="${size_mib}M" "$disk"
    printf 'label: dos\nstart=2048, type=83, bootable\n' | sfdisk --quiet "$disk"
    dd if=/usr/lib/EXTLINUX/mbr.bin of="$disk" bs=440 count=1 conv=notrunc status=none 2>/dev/null ||
        dd if=/usr/lib/syslinux/mbr/mbr.bin of="$disk" bs=440 count=1 conv=notrunc status=none
    loop=$(losetup --show --find --offset "$begin" "$disk")
    trap 'umount "$work/mount" 2>/dev/null || true; losetup --detach "$loop"' EXIT
    mke2fs -q -t ext4 -O ^64bit,^metadata_csum -L signalbox -d "$root" "$loop"
    mkdir -p "$work/mount"
    mount "$loop" "$work/mount"
    extlinux --install "$work/mount/boot/extlinux" >/dev/null 2>&1
    umount "$work/mount"
    losetup --detach "$loop"
    trap - EXIT
    mv "$disk" "dist/$name.raw"
    qemu-img convert -c -W -o compression_type=zstd -O qcow2 "dist/$name.raw" "dist/$name.qcow2"
}

[ -n "$package" ] || { echo "There is no package in dist/. Type: make deb" >&2; exit 1; }
mkdir -p "$work" "$fetched" dist
make_root
make_disk
du -h "dist/$name.raw" "dist/$name.qcow2"
