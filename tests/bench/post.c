/* The least that a client does: connects, posts a file, copies the answer as it comes. post PORT PATH FILE */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void all(int fd, const char *bytes, size_t length)
{
    while (length) {
        ssize_t written = write(fd, bytes, length);
        if (written <= 0)
            exit(1);
        bytes += written;
        length -= (size_t)written;
    }
}

int main(int argc, char **argv)
{
    static char buffer[1 << 16];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct stat found;
    ssize_t length;
    int file, service;
    if (argc != 4 || (file = open(argv[3], O_RDONLY)) < 0 || fstat(file, &found))
        return 2;
    address.sin_port = htons((unsigned short)atoi(argv[1]));
    service = socket(AF_INET, SOCK_STREAM, 0);
    if (service < 0 || connect(service, (struct sockaddr *)&address, sizeof address))
        return 1;
    length = snprintf(buffer, sizeof buffer,
                      "POST %s HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer sk-standin\r\n"
                      "content-type: application/json\r\naccept: text/event-stream\r\nconnection: close\r\n"
                      "content-length: %lld\r\n\r\n",
                      argv[2], (long long)found.st_size);
    all(service, buffer, (size_t)length);
    while ((length = read(file, buffer, sizeof buffer)) > 0)
        all(service, buffer, (size_t)length);
    while ((length = read(service, buffer, sizeof buffer)) > 0)
        all(1, buffer, (size_t)length);
    return length < 0;
}
