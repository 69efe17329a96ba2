"""PyTorch's DistributedDataParallel over gloo, on some processes of this machine with one thread each: speed, and a digest of the parameters.

    ddp_pytorch.py NETWORK PROCESSES STEPS

Every step takes the same samples, whatever the number of processes: each process takes its contiguous share of them. Prints one line of
JSON: images per second at the fastest and at the median step of the second half, and the SHA-256 of all parameters after the last step."""
import hashlib
import json
import os
import socket
import statistics
import sys
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as processes
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from networks import NETWORKS
from pytorch_model import model


def work(rank, world, name, steps, port, results):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=world)
    layers, (height, width, channels), classes, batch = NETWORKS[name]
    torch.manual_seed(0)
    network = DistributedDataParallel(model(layers, (height, width, channels)))
    optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9)
    images = torch.rand(batch, channels, height, width)
    labels = torch.randint(0, classes, (batch,))
    own = slice(batch * rank // world, batch * (rank + 1) // world)
    times = []
    for _ in range(steps):
        dist.barrier()
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(network(images[own]), labels[own]).backward()
        optimizer.step()
        dist.barrier()
        times.append(time.perf_counter() - start)
    if rank == 0:
        digest = hashlib.sha256()
        for value in network.module.state_dict().values():
            digest.update(value.contiguous().numpy().tobytes())
        late = times[steps // 2:]
        results.put({
            "version": torch.__version__, "processes": world, "fastest": batch / min(late),
            "median": batch / statistics.median(late), "digest": digest.hexdigest()})
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    name, world, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    context = processes.get_context("spawn")
    results = context.Queue()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    workers = [context.Process(target=work, args=(rank, world, name, steps, port, results)) for rank in range(world)]
    for worker in workers:
        worker.start()
    print(json.dumps(results.get(timeout=300)), flush=True)
    for worker in workers:
        worker.join()
